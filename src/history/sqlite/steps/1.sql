-- The tables of the first version.

CREATE TABLE image (id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE digest (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE namespace (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- Times are milliseconds since 1970; started_at is in seconds. The digest 0 is none. last_seen is NULL while it is there.
CREATE TABLE sighting (
    digest INTEGER NOT NULL,
    image INTEGER NOT NULL,
    namespace INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    first_is_exact INTEGER NOT NULL,
    last_seen INTEGER,
    started_at INTEGER,
    workloads TEXT NOT NULL,
    workloads_dropped INTEGER NOT NULL,
    PRIMARY KEY (digest, image, namespace)
) STRICT, WITHOUT ROWID;
-- When kai was looking, which namespaces it could not read (one a line, * for any), and why it ended.
CREATE TABLE period (start INTEGER PRIMARY KEY, end INTEGER NOT NULL, missing TEXT NOT NULL, ended TEXT) STRICT;
-- Rows that went because there were too many, and when the newest of them was last seen.
CREATE TABLE dropped (rows INTEGER NOT NULL, until INTEGER) STRICT;
INSERT INTO dropped VALUES (0, NULL);
CREATE VIEW history AS
    SELECT reference, digest.digest, name AS namespace, datetime(first_seen / 1000, 'unixepoch') AS first_seen,
        first_is_exact, datetime(last_seen / 1000, 'unixepoch') AS last_seen, workloads
    FROM sighting
        JOIN image ON image.id = sighting.image
        JOIN namespace ON namespace.id = sighting.namespace
        LEFT JOIN digest ON digest.id = sighting.digest;

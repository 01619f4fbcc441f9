-- The tables of the first version. Those of all clusters are in one schema, and every row of a history has its cluster.

-- uid is that of the namespace kube-system: names of clusters are not unique. A kai that writes for a cluster is its holder, and counts its
-- writes, so that it finds out when it writes to another database than before.
CREATE TABLE kai.cluster (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uid text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    last_seen timestamptz NOT NULL,
    holder text NOT NULL,
    writes bigint NOT NULL,
    -- Rows that went because there were too many, and when the newest of them was last seen.
    dropped_rows bigint NOT NULL,
    dropped_until timestamptz
);
-- What repeats is kept once, for all clusters.
CREATE TABLE kai.image (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, reference text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE kai.digest (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, digest text COLLATE "C" NOT NULL UNIQUE);
CREATE TABLE kai.namespace (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE);
-- The digest 0 is none.
INSERT INTO kai.digest (id, digest) OVERRIDING SYSTEM VALUE VALUES (0, '');
-- last_seen is NULL while it is there; started_at is in seconds since 1970.
CREATE TABLE kai.sighting (
    cluster integer NOT NULL REFERENCES kai.cluster ON DELETE CASCADE,
    digest integer NOT NULL,
    image integer NOT NULL,
    namespace integer NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz,
    started_at bigint,
    workloads_dropped bigint NOT NULL,
    first_is_exact boolean NOT NULL,
    workloads text[] NOT NULL,
    PRIMARY KEY (cluster, digest, image, namespace)
) WITH (fillfactor = 90);
CREATE INDEX sighting_digest ON kai.sighting (digest);
CREATE INDEX sighting_image ON kai.sighting (image);
-- When kai was looking, which namespaces it could not read (* for any), and why it ended.
CREATE TABLE kai.period (
    cluster integer NOT NULL REFERENCES kai.cluster ON DELETE CASCADE,
    start timestamptz NOT NULL,
    until timestamptz NOT NULL,
    missing text[] NOT NULL,
    ended text,
    PRIMARY KEY (cluster, start)
);

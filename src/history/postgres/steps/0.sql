-- Where there is nothing yet.

CREATE SCHEMA IF NOT EXISTS kai;
-- How many steps were taken.
CREATE TABLE kai.version (version integer NOT NULL);
INSERT INTO kai.version VALUES (0);

-- Row-level security for a history that clusters share: a role for each cluster, which sees and writes the rows of that cluster alone, and
-- one for whoever reads the fleet. Run it once, as the owner of the tables, after a kai of that owner has made them:
--
--   psql --set ON_ERROR_STOP=1 --file config/history-roles.sql kai
--
-- Then, for each cluster, with the uid that `kubectl get namespace kube-system --output jsonpath={.metadata.uid}` prints:
--
--   CREATE ROLE "kai-UID" LOGIN PASSWORD '…' IN ROLE kai_cluster;
--
-- and for readers: CREATE ROLE "fleet" LOGIN PASSWORD '…' IN ROLE kai_reader;
--
-- References, digests and names of namespaces stand once for all clusters, and every role sees them; which cluster has them it does not see.
-- No role may change the tables: a newer kai is started once as their owner.

BEGIN;

CREATE ROLE kai_cluster;
CREATE ROLE kai_reader;

GRANT USAGE ON SCHEMA kai TO kai_cluster, kai_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA kai TO kai_cluster, kai_reader;
GRANT INSERT ON kai.image, kai.digest, kai.namespace TO kai_cluster;
GRANT INSERT, UPDATE ON kai.cluster TO kai_cluster;
GRANT INSERT, UPDATE, DELETE ON kai.sighting, kai.period TO kai_cluster;

ALTER TABLE kai.cluster ENABLE ROW LEVEL SECURITY;
ALTER TABLE kai.sighting ENABLE ROW LEVEL SECURITY;
ALTER TABLE kai.period ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON kai.cluster TO kai_cluster USING (current_user::text = 'kai-' || uid);
-- What a role sees of kai.cluster is its own row.
CREATE POLICY own ON kai.sighting TO kai_cluster USING (cluster IN (SELECT id FROM kai.cluster));
CREATE POLICY own ON kai.period TO kai_cluster USING (cluster IN (SELECT id FROM kai.cluster));

CREATE POLICY fleet ON kai.cluster FOR SELECT TO kai_reader USING (true);
CREATE POLICY fleet ON kai.sighting FOR SELECT TO kai_reader USING (true);
CREATE POLICY fleet ON kai.period FOR SELECT TO kai_reader USING (true);

COMMIT;

-- A tenant's patterns as they are now: which version of its own documents runs and how, and what it said of those that ship.

CREATE TABLE pattern (
    tenant     int4 NOT NULL,
    id         text NOT NULL,
    version    int4 NOT NULL,
    mode       text NOT NULL,               -- off, flighting, production
    revision   int8 NOT NULL,               -- grows with every version and deployment, also across a retirement
    shipped    bool NOT NULL,               -- true: only the deployment is the tenant's, there is no row in pattern_version
    retired    bool NOT NULL DEFAULT false,
    changed    timestamptz NOT NULL,
    changed_by text NOT NULL,
    PRIMARY KEY (tenant, id)
);

INSERT INTO pattern (tenant, id, version, mode, revision, shipped, changed, changed_by)
    SELECT DISTINCT ON (tenant, id) tenant, id, version, mode, version, false, created, created_by
    FROM pattern_version ORDER BY tenant, id, version DESC;

ALTER TABLE pattern ENABLE ROW LEVEL SECURITY;
ALTER TABLE pattern FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON pattern TO catenary_owner USING (true) WITH CHECK (true);
CREATE POLICY request ON pattern TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
GRANT SELECT, INSERT, UPDATE ON pattern TO catenary_api;

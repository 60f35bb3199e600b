-- Work that takes longer than a request may: backtests. Any server claims what waits, and what a server that died was at.

CREATE TABLE job (
    tenant     int4 NOT NULL,
    id         uuid NOT NULL DEFAULT gen_random_uuid(),
    kind       text NOT NULL DEFAULT 'backtest' CHECK (kind = 'backtest'),
    state      text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    pattern    text NOT NULL,
    version    int4 NOT NULL,               -- stored, or the one that the document would become
    inline     bool NOT NULL,               -- the document came with the request
    document   text NOT NULL,               -- normalised JSON
    from_time  timestamptz NOT NULL,        -- of event time, both inclusive
    to_time    timestamptz NOT NULL,
    created    timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,               -- api_key.id
    started    timestamptz,                 -- the last time that a server began it
    ended      timestamptz,
    claims     int4 NOT NULL DEFAULT 0,     -- how often a server began it; fences one that stood still meanwhile
    beat       timestamptz,                 -- last sign of life of the server that is at it
    read       int8 NOT NULL DEFAULT 0,     -- signals
    total      int8,                        -- once they are counted
    error      text NOT NULL DEFAULT '',
    result     text,                        -- JSON
    PRIMARY KEY (tenant, id),
    CONSTRAINT ended_when_over CHECK ((state IN ('queued', 'running')) = (ended IS NULL))
);
CREATE INDEX ON job (tenant, created, id);
CREATE INDEX ON job (created) WHERE ended IS NULL;
CREATE INDEX ON job (ended) WHERE ended IS NOT NULL;

ALTER TABLE job ENABLE ROW LEVEL SECURITY;
ALTER TABLE job FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON job TO catenary_owner USING (true) WITH CHECK (true);
CREATE POLICY request ON job TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
CREATE POLICY lane ON job TO catenary_lane USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON job TO catenary_api;
GRANT UPDATE (state, ended) ON job TO catenary_api;
GRANT SELECT, UPDATE, DELETE ON job TO catenary_lane;

-- A backtest links and scores as the tenant is set now.
CREATE POLICY lane_reads ON tenant_setting FOR SELECT TO catenary_lane USING (true);
CREATE POLICY lane_reads ON entity_note FOR SELECT TO catenary_lane USING (true);
GRANT SELECT ON tenant_setting, entity_note TO catenary_lane;

-- What runs besides the newest version of a pattern, whose own mode is `mode`: one version in production, one on trial; null where it is the newest or none.
ALTER TABLE pattern ADD COLUMN production int4, ADD COLUMN flighting int4;

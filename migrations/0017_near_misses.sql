-- Chains of stages that were over with one stage missing; kept for 30 days of event time.
CREATE TABLE near_miss (
    tenant       int4 NOT NULL,
    id           uuid NOT NULL,              -- names tenant, pattern, version, entity and start
    pattern      text NOT NULL,
    version      int4 NOT NULL,
    mode         text NOT NULL,
    entity_key   text NOT NULL,              -- "kind:value" of who links it, for filters
    entity       text NOT NULL,              -- JSON [{kind, value}]
    reached      text NOT NULL,              -- JSON [{stage, time, source, id}]
    missing      text NOT NULL,              -- the stage that did not come
    start_time   timestamptz NOT NULL,
    end_time     timestamptz NOT NULL,       -- of what was reached
    until_time   timestamptz NOT NULL,       -- the missing stage might have come until then
    position     int8 NOT NULL,              -- of the entry at which it was over, or of a later one written with it
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ON near_miss (tenant, until_time, id);

ALTER TABLE near_miss ENABLE ROW LEVEL SECURITY;
ALTER TABLE near_miss FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON near_miss TO catenary_owner USING (true) WITH CHECK (true);
CREATE POLICY request ON near_miss TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
CREATE POLICY lane ON near_miss TO catenary_lane USING (true) WITH CHECK (true);
GRANT SELECT ON near_miss TO catenary_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON near_miss TO catenary_lane;

-- More of them a day than are told.
ALTER TABLE tenant_status ADD COLUMN near_misses_dropped int8 NOT NULL DEFAULT 0;

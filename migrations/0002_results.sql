-- What leaves the engine: findings with their evidence, incidents with their history; and the tenant's pattern documents.

CREATE TABLE pattern_version (
    tenant     int4 NOT NULL,
    id         text NOT NULL,
    version    int4 NOT NULL,
    mode       text NOT NULL,
    document   text NOT NULL,               -- normalised JSON
    position   int8 NOT NULL,               -- its control entry
    created    timestamptz NOT NULL,
    created_by text NOT NULL,
    PRIMARY KEY (tenant, id, version)
);

CREATE TABLE finding (
    tenant         int4 NOT NULL,
    id             uuid NOT NULL,
    pattern        text NOT NULL,
    version        int4 NOT NULL,
    mode           text NOT NULL,
    state          text NOT NULL,           -- open, waiting, superseded
    title          text NOT NULL,
    summary        text NOT NULL,
    severity       int2 NOT NULL,
    score          float8 NOT NULL,
    incident       int8,
    superseded_by  uuid,
    start_time     timestamptz NOT NULL,
    end_time       timestamptz NOT NULL,
    evidence_total int8 NOT NULL,
    tactics        text[] NOT NULL,
    techniques     text[] NOT NULL,
    domains        text[] NOT NULL,
    principal_keys text[] NOT NULL,         -- "kind:value" of each principal, for filters
    principals     text NOT NULL,           -- JSON
    stages         text NOT NULL,           -- JSON
    score_detail   text NOT NULL,           -- JSON
    position       int8 NOT NULL,           -- of the entry that changed it last
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ON finding (tenant, incident);
CREATE INDEX ON finding (tenant, start_time, id);

-- Evidence as whole signals, so that old leaves can go.
CREATE TABLE finding_evidence (
    tenant     int4 NOT NULL,
    finding    uuid NOT NULL,
    time       timestamptz NOT NULL,
    source     text NOT NULL,
    source_id  text NOT NULL,
    stage      text NOT NULL,
    key        uuid NOT NULL,
    domain     text NOT NULL,
    name       text NOT NULL,
    title      text NOT NULL,
    tactics    text[] NOT NULL,
    techniques text[] NOT NULL,
    severity   int2 NOT NULL,
    confidence float8 NOT NULL,
    count      int8 NOT NULL,
    entities   text NOT NULL,               -- JSON [{kind, value, role, identifies}]
    attributes text,
    shown      text,
    received   timestamptz NOT NULL,
    late       bool NOT NULL DEFAULT false,
    PRIMARY KEY (tenant, finding, time, source, source_id)
);

CREATE TABLE incident (
    tenant                int4 NOT NULL,
    number                int8 NOT NULL,
    title                 text NOT NULL,
    summary               text NOT NULL,
    severity              int2 NOT NULL,
    score                 float8 NOT NULL,
    status                text NOT NULL,    -- new, active, closed
    classification        text,
    classification_reason text NOT NULL,
    owner                 text NOT NULL,
    labels                text[] NOT NULL DEFAULT '{}',
    tactics               text[] NOT NULL,
    techniques            text[] NOT NULL,
    domains               text[] NOT NULL,
    patterns              text[] NOT NULL,
    entity_keys           text[] NOT NULL,  -- "kind:value", for filters
    principals            text NOT NULL,    -- JSON
    entities              text NOT NULL,    -- JSON
    entity_total          int8 NOT NULL,
    first_activity        timestamptz NOT NULL,
    last_activity         timestamptz NOT NULL,
    created               timestamptz NOT NULL,
    updated               timestamptz NOT NULL,
    signal_count          int8 NOT NULL,
    finding_count         int8 NOT NULL,
    revision              int8 NOT NULL,
    merged_into           int8,
    related               int8[] NOT NULL DEFAULT '{}',
    position              int8 NOT NULL,    -- of the entry that changed it last
    PRIMARY KEY (tenant, number)
);
CREATE INDEX ON incident (tenant, created, number);
CREATE INDEX ON incident (tenant, updated, number);
CREATE INDEX ON incident (tenant, score, number);
CREATE INDEX ON incident (tenant, last_activity, number);
CREATE INDEX ON incident USING gin (entity_keys);

CREATE TABLE incident_activity (
    tenant   int4 NOT NULL,
    number   int8 NOT NULL,
    position int8 NOT NULL,                 -- of the entry that caused it
    line     int4 NOT NULL,                 -- within that entry
    at       timestamptz NOT NULL,
    actor    text NOT NULL,
    what     text NOT NULL,
    detail   text NOT NULL,
    PRIMARY KEY (tenant, number, position, line)
);

-- The engine's view of a tenant at the lane's position, for diagnostics.
CREATE TABLE tenant_status (
    tenant           int4 PRIMARY KEY,
    position         int8 NOT NULL,
    watermark        timestamptz,
    held             bool NOT NULL,
    newest           timestamptz,
    lateness         interval NOT NULL,
    signals          int8 NOT NULL,
    late             int8 NOT NULL,
    unlinkable       int8 NOT NULL,
    behind_horizon   int8 NOT NULL,
    window_signals   int8 NOT NULL,
    state_bytes      int8 NOT NULL
);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['pattern_version', 'finding', 'finding_evidence', 'incident', 'incident_activity', 'tenant_status'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
        EXECUTE format('CREATE POLICY lane ON %I TO catenary_lane USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('GRANT SELECT ON %I TO catenary_api', table_name);
    END LOOP;
    FOREACH table_name IN ARRAY ARRAY['finding', 'finding_evidence', 'incident', 'incident_activity', 'tenant_status'] LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO catenary_lane', table_name);
    END LOOP;
END
$$;
GRANT SELECT ON pattern_version TO catenary_lane;
GRANT INSERT ON pattern_version TO catenary_api;
-- An edit checks the revision it was made for.
GRANT SELECT ON incident TO catenary_api;

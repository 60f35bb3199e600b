-- What people decide besides incidents themselves: the tenant's settings, and under which keys requests were sent, so that a repeat is known as one.

CREATE TABLE tenant_setting (
    tenant     int4 PRIMARY KEY,
    revision   int8 NOT NULL,
    body       text NOT NULL,               -- JSON, as in the control entry
    position   int8 NOT NULL,               -- of that entry
    changed    timestamptz NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE idempotency_key (
    tenant   int4 NOT NULL,
    key      text NOT NULL,
    content  text NOT NULL,                 -- of the control entry: another content under the same key is a conflict
    position int8 NOT NULL,
    created  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, key)
);
CREATE INDEX ON idempotency_key (tenant, created);

CREATE INDEX ON incident USING gin (labels);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['tenant_setting', 'idempotency_key'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON tenant_setting TO catenary_api;
GRANT SELECT, INSERT, DELETE ON idempotency_key TO catenary_api;

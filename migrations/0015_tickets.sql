-- Connectors to ticket systems, what waits for them, the tickets they keep, and what was said to and by them.

CREATE TABLE connector (
    tenant       int4 NOT NULL,
    name         text NOT NULL,
    revision     int8 NOT NULL,
    enabled      bool NOT NULL,
    document     text NOT NULL,              -- JSON in normal form, without secrets
    secrets      bytea,                      -- JSON, sealed with the server's key and bound to tenant and name; null: there are none
    secret_names text[] NOT NULL,
    changed      timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by   text NOT NULL,              -- api_key.id
    PRIMARY KEY (tenant, name)
);

-- How a connector does: written by whoever serves it. A process serves it while its lease lasts, under an epoch that every write of a ticket names.
CREATE TABLE connector_state (
    tenant      int4 NOT NULL,
    name        text NOT NULL,
    owner       text NOT NULL DEFAULT '',
    epoch       int8 NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT '-infinity',
    paused      text NOT NULL DEFAULT '',    -- why nothing is sent until somebody has looked; '' while it runs
    failures    int4 NOT NULL DEFAULT 0,     -- since the last success
    open_until  timestamptz NOT NULL DEFAULT '-infinity',  -- the breaker: nothing is sent before
    succeeded   timestamptz,
    failed      timestamptz,
    failure     text NOT NULL DEFAULT '',    -- the last one
    polled      text NOT NULL DEFAULT '',    -- changes of the ticket system are known up to here, by its clock and in its words
    poll_due    timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (tenant, name),
    FOREIGN KEY (tenant, name) REFERENCES connector ON DELETE CASCADE
);

-- Written in the transaction of the incident's change, and taken by the connector's dispatcher into `ticket`: so that the lane waits for no row that a
-- dispatcher writes. A change that is computed again makes the same row.
CREATE TABLE outbox (
    tenant    int4 NOT NULL,
    connector text NOT NULL,
    incident  int8 NOT NULL,
    revision  int8 NOT NULL,                 -- of the incident
    cause     text NOT NULL,                 -- created, crossed, reopened, changed
    PRIMARY KEY (tenant, connector, incident, revision)
);

-- One for each incident and connector: what the ticket should say and what it says.
CREATE TABLE ticket (
    id              int8 GENERATED ALWAYS AS IDENTITY,
    tenant          int4 NOT NULL,
    connector       text NOT NULL,
    incident        int8 NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'sending', 'done', 'in_doubt', 'failed', 'gone')),
    cause           text NOT NULL,
    wanted          int8 NOT NULL,           -- revision of the incident that the ticket should show
    delivered       int8 NOT NULL DEFAULT 0, -- and that it shows; 0: there is no ticket yet
    attempts        int4 NOT NULL DEFAULT 0, -- since the last success
    due             timestamptz NOT NULL DEFAULT clock_timestamp(),
    epoch           int8 NOT NULL DEFAULT 0, -- of the dispatcher that sends it
    external_id     text NOT NULL DEFAULT '',
    external_url    text NOT NULL DEFAULT '',
    external_status text NOT NULL DEFAULT '',
    external_seen   text NOT NULL DEFAULT '', -- when the ticket system says it changed last, as it says it
    told_status     text NOT NULL DEFAULT '', -- of the incident, as the ticket was told it or told us
    detail          text NOT NULL DEFAULT '', -- why it failed or waits, in the ticket system's own words
    created         timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, connector, incident)
);
CREATE INDEX ON ticket (tenant, incident);
CREATE INDEX ON ticket (tenant, connector, due) WHERE state IN ('pending', 'sending', 'in_doubt');
CREATE INDEX ON ticket (tenant, connector, external_id) WHERE external_id <> '';

-- Every exchange with a ticket system, secrets left out.
CREATE TABLE delivery (
    id        int8 GENERATED ALWAYS AS IDENTITY,
    tenant    int4 NOT NULL,
    connector text NOT NULL,
    ticket    int8,                          -- null: a test or a poll
    incident  int8,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempt   int4 NOT NULL,
    action    text NOT NULL,                 -- find, create, read, update, comment, poll, test, interrupted
    method    text NOT NULL,
    url       text NOT NULL,
    request   text NOT NULL,
    status    int4 NOT NULL,                 -- 0: no reply
    reply     text NOT NULL,
    failure   text NOT NULL,                 -- '' when it did what it should
    micros    int8 NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ON delivery (tenant, ticket, id);
CREATE INDEX ON delivery (tenant, connector, id);
CREATE INDEX ON delivery (tenant, at);

CREATE FUNCTION audit_connector() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    c connector;
BEGIN
    IF tg_op = 'DELETE' THEN
        c := old;
    ELSE
        c := new;
    END IF;
    PERFORM add_audit(c.tenant, CASE tg_op WHEN 'INSERT' THEN 'connector_added' WHEN 'UPDATE' THEN 'connector_changed' ELSE 'connector_removed' END, c.name,
                      c.document);
    RETURN NULL;
END
$$;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON connector FOR EACH ROW EXECUTE FUNCTION audit_connector();
REVOKE EXECUTE ON FUNCTION audit_connector() FROM PUBLIC;

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['connector', 'connector_state', 'outbox', 'ticket', 'delivery'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
        EXECUTE format('CREATE POLICY lane ON %I TO catenary_lane USING (true) WITH CHECK (true)', table_name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON connector, connector_state, outbox, ticket TO catenary_api;
GRANT SELECT, INSERT, DELETE ON delivery TO catenary_api;
-- The lane judges incidents by the connectors' conditions; secrets are none of its business.
GRANT SELECT (tenant, name, enabled, document, changed) ON connector TO catenary_lane;
GRANT SELECT, INSERT, DELETE ON outbox TO catenary_lane;
GRANT SELECT ON ticket TO catenary_lane;
GRANT SELECT, UPDATE ON connector_state TO catenary_lane;

-- Tickets follow merges and splits, comments go both ways, and what ticket systems send by themselves is taken in.

-- Who was merged into an incident.
CREATE INDEX ON incident (tenant, merged_into) WHERE merged_into IS NOT NULL;

ALTER TABLE ticket
    ADD COLUMN told         text NOT NULL DEFAULT '', -- what the ticket was last told of the incident's state, in one line
    ADD COLUMN told_comment int8 NOT NULL DEFAULT 0,  -- position of the last comment on the incident that the ticket has
    ADD COLUMN seen_note    text NOT NULL DEFAULT ''; -- the last note on the ticket that the incident has, in the ticket system's words

-- Where a ticket system sends its hooks to: unlike the name it tells the tenant, and nobody guesses it.
ALTER TABLE connector ADD COLUMN hook uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX ON connector (hook);

-- The look-up that happens before a tenant is known.
CREATE FUNCTION connector_of_hook(wanted uuid) RETURNS TABLE (tenant int4, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT c.tenant, c.name FROM connector c WHERE c.hook = wanted AND c.enabled
$$;
REVOKE EXECUTE ON FUNCTION connector_of_hook(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION connector_of_hook(uuid) TO catenary_api;

-- Hooks that were genuine. What they are about is looked at by whoever serves the connector; ids are kept so that a repeat is known for one.
CREATE TABLE hook (
    tenant    int4 NOT NULL,
    connector text NOT NULL,
    id        text NOT NULL,                 -- of the delivery, in the ticket system's words
    received  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ticket    text NOT NULL,                 -- its id in the ticket system
    report    text NOT NULL,                 -- JSON: how the ticket is, where its system cannot be asked; '' where it can
    attempts  int4 NOT NULL DEFAULT 0,
    worked    timestamptz,                   -- null: it waits
    PRIMARY KEY (tenant, connector, id),
    FOREIGN KEY (tenant, connector) REFERENCES connector ON DELETE CASCADE
);
CREATE INDEX ON hook (tenant, connector, received) WHERE worked IS NULL;

ALTER TABLE hook ENABLE ROW LEVEL SECURITY;
ALTER TABLE hook FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON hook TO catenary_owner USING (true) WITH CHECK (true);
CREATE POLICY request ON hook TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant());
CREATE POLICY lane ON hook TO catenary_lane USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON hook TO catenary_api;
GRANT SELECT ON hook TO catenary_lane;

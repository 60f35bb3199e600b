-- What administrators hold of entities, mentioned or not; and which late signals came after the engine had forgotten their time.

CREATE TABLE entity_note (
    tenant      int4 NOT NULL,
    kind        text NOT NULL,
    value       text NOT NULL,              -- canonical
    tags        text[] NOT NULL,            -- sorted, each once
    criticality int2,                       -- 1 low to 4 critical
    facts       text NOT NULL,              -- JSON object
    link        text NOT NULL,              -- usual, deny, allow
    revision    int8 NOT NULL,
    position    int8 NOT NULL,              -- of the control entry
    changed     timestamptz NOT NULL,
    changed_by  text NOT NULL,              -- api_key.id
    PRIMARY KEY (tenant, kind, value)
);
-- Lists by criticality walk this in the order of the list.
CREATE INDEX ON entity_note (tenant, criticality, kind, value);
CREATE INDEX ON entity_note (tenant, changed) WHERE link = 'deny';

-- The same tags once more, one a row: an array's index cannot be walked in the order of the list, and under row-level security not used at all.
CREATE TABLE entity_tag (
    tenant      int4 NOT NULL,
    tag         text NOT NULL,
    kind        text NOT NULL,
    value       text NOT NULL,
    criticality int2,                       -- as in entity_note
    PRIMARY KEY (tenant, tag, kind, value)
);
CREATE INDEX ON entity_tag (tenant, tag, criticality, kind, value);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['entity_note', 'entity_tag'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON entity_note TO catenary_api;
GRANT SELECT, INSERT, DELETE ON entity_tag TO catenary_api;
-- An entity may be noted before a signal mentions it. Called while the log is held, as the committer makes entities: nobody else makes one meanwhile.
CREATE FUNCTION mention_entity(of_kind text, of_value text, does_identify bool) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO entity (tenant, kind, value, identifies) SELECT current_tenant(), of_kind, of_value, does_identify
    WHERE current_tenant() IS NOT NULL
      AND NOT EXISTS (SELECT FROM entity WHERE tenant = current_tenant() AND kind = of_kind AND value = of_value)
$$;
REVOKE EXECUTE ON FUNCTION mention_entity(text, text, bool) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mention_entity(text, text, bool) TO catenary_api;

ALTER TABLE late_signal ADD COLUMN behind_horizon bool NOT NULL DEFAULT false;
ALTER TABLE tenant_status ADD COLUMN oldest_behind_horizon timestamptz;

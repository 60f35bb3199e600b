-- Who changed what, and replies that a repeated request gets again.

CREATE TABLE audit (
    id     int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant int4 NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor  text NOT NULL,                   -- api_key.id, or 'server' for what it does by itself
    action text NOT NULL,                   -- key_added, key_changed, key_removed, tenant_added; else the kind of a control entry
    target text NOT NULL,                   -- which key, tenant, document …; '' where there is only one
    detail text NOT NULL                    -- JSON object, or {} where it would be longer than 16 KiB
);
CREATE INDEX ON audit (tenant, id);

-- Set per transaction by requests that change something.
CREATE FUNCTION current_actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(nullif(current_setting('app.actor', true), ''), 'server');

CREATE FUNCTION add_audit(of_tenant int4, what text, which text, said text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO audit (tenant, actor, action, target, detail)
        VALUES (of_tenant, current_actor(), what, left(which, 512), CASE WHEN length(said) <= 16384 THEN said ELSE '{}' END)
$$;

-- Everything that can change a result is a control entry, so whatever is added to the catalogue or the settings is written down here without knowing of it.
-- Ticks are the server's own; what is done to incidents is in their activity.
CREATE FUNCTION audit_control() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    said jsonb;
BEGIN
    said := new.body::jsonb;
    PERFORM add_audit(new.tenant, new.kind, coalesce(said->>'id', said->>'name', ''), new.body);
    RETURN NULL;
END
$$;
CREATE TRIGGER audited AFTER INSERT ON control FOR EACH ROW WHEN (new.kind NOT IN ('tick', 'incident')) EXECUTE FUNCTION audit_control();

CREATE FUNCTION audit_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    k api_key;
    words text[];
BEGIN
    IF tg_op = 'DELETE' THEN
        k := old;
    ELSE
        k := new;
    END IF;
    SELECT array_agg(word ORDER BY bit) INTO words
        FROM (VALUES (1, 'signals:write'), (2, 'signals:read'), (4, 'incidents:read'), (8, 'incidents:write'), (16, 'catalogue:write'), (32, 'tickets:write'),
                     (64, 'admin')) AS scope (bit, word)
        WHERE k.scopes & bit <> 0;
    PERFORM add_audit(k.tenant, CASE tg_op WHEN 'INSERT' THEN 'key_added' WHEN 'UPDATE' THEN 'key_changed' ELSE 'key_removed' END, k.id,
                      json_build_object('scopes', words, 'sources', k.sources, 'expires', k.expires)::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER audited_change AFTER INSERT OR DELETE ON api_key FOR EACH ROW EXECUTE FUNCTION audit_key();
CREATE TRIGGER audited_update AFTER UPDATE ON api_key FOR EACH ROW
    WHEN ((old.scopes, old.sources, old.expires) IS DISTINCT FROM (new.scopes, new.sources, new.expires)) EXECUTE FUNCTION audit_key();

-- A tenant is the operator's doing.
CREATE FUNCTION audit_tenant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM add_audit((SELECT min(id) FROM tenant), 'tenant_added', new.name, '{}');
    RETURN NULL;
END
$$;
CREATE TRIGGER audited AFTER INSERT ON tenant FOR EACH ROW EXECUTE FUNCTION audit_tenant();

CREATE TABLE remembered_reply (
    tenant  int4 NOT NULL,
    key_id  text NOT NULL,                  -- the API key that the idempotency key came with
    key     text NOT NULL,
    request bytea NOT NULL CHECK (length(request) = 32),  -- SHA-256 of method, target, type and body
    made    timestamptz NOT NULL DEFAULT clock_timestamp(),
    reply   bytea,                          -- sealed with the API key's secret; null until the first request is answered
    PRIMARY KEY (tenant, key_id, key)
);
CREATE INDEX ON remembered_reply (tenant, made);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['audit', 'remembered_reply'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
    END LOOP;
END
$$;
GRANT SELECT ON audit TO catenary_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON remembered_reply TO catenary_api;
REVOKE EXECUTE ON FUNCTION add_audit(int4, text, text, text), audit_control(), audit_key(), audit_tenant() FROM PUBLIC;

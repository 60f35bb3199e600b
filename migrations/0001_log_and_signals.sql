-- What enters: tenants and keys, the log, its control entries, dictionaries, signals and their leaves.

-- Set per transaction by requests; unset (or empty) is NULL, which no row equals.
CREATE FUNCTION current_tenant() RETURNS int4 LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.tenant', true), '')::int4;

-- One row of what is fixed when the database is made.
CREATE TABLE layout (
    one        bool PRIMARY KEY DEFAULT true CHECK (one),
    lanes      int2 NOT NULL DEFAULT 16 CHECK (lanes BETWEEN 1 AND 256),
    daily_from date NOT NULL,               -- leaves are yearly before, daily from here on
    hash_key   bytea NOT NULL CHECK (length(hash_key) = 16)  -- of the keyed digests; never leaves the database and the server
);

CREATE TABLE tenant (
    id      int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name    text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    lane    int2 NOT NULL,                  -- never changes
    created timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
    id            text PRIMARY KEY,
    tenant        int4 NOT NULL REFERENCES tenant,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    scopes        int4 NOT NULL,            -- bits of the program's Scope
    sources       text[] NOT NULL DEFAULT '{}',  -- may post for these only; empty: any
    created       timestamptz NOT NULL DEFAULT now(),
    expires       timestamptz,
    last_used     timestamptz
);
CREATE INDEX ON api_key (tenant, created, id);

-- Position order equals commit order because every writer locks this row first.
CREATE TABLE log (
    one           bool PRIMARY KEY DEFAULT true CHECK (one),
    next_position int8 NOT NULL DEFAULT 1
);
INSERT INTO log DEFAULT VALUES;

CREATE TABLE lane (
    id    int2 PRIMARY KEY,
    done  int8 NOT NULL DEFAULT 0,          -- results are committed up to this position
    epoch int8 NOT NULL DEFAULT 0,          -- grows with each take-over; fences a former leader
    owner text NOT NULL DEFAULT ''
);

-- One row a commit and lane: which positions, in which leaves, how many rows each. Tails and replays read this, then only those leaves.
CREATE TABLE batch (
    lane      int2 NOT NULL,
    first     int8 NOT NULL,
    last      int8 NOT NULL CHECK (last >= first),
    leaf_days int4[] NOT NULL,              -- first day of each leaf, days since 1970-01-01
    leaf_rows int4[] NOT NULL,              -- rows committed to each, same order
    control   bool NOT NULL,                -- one control entry at position `first` instead of signals
    committed timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lane, first)
);

CREATE TABLE control (
    position int8 PRIMARY KEY,
    tenant   int4 NOT NULL REFERENCES tenant,
    admitted timestamptz NOT NULL,
    kind     text NOT NULL,                 -- tick, watermark, pattern, incident, setting
    body     text NOT NULL                  -- JSON
);

CREATE TABLE entity (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     int4 NOT NULL,
    kind       text NOT NULL,
    value      text NOT NULL,               -- canonical
    identifies bool NOT NULL,
    first_seen timestamptz,
    last_seen  timestamptz,
    UNIQUE (tenant, kind, value)
);

-- What repeats from signal to signal.
CREATE TABLE def (
    id         int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant     int4 NOT NULL,
    domain     text NOT NULL,
    source     text NOT NULL,
    name       text NOT NULL,
    tactics    text[] NOT NULL,
    techniques text[] NOT NULL,
    UNIQUE (tenant, source, name, domain, tactics, techniques)
);
CREATE TABLE title (
    id     int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant int4 NOT NULL,
    source text NOT NULL,
    name   text NOT NULL,
    title  text NOT NULL,
    UNIQUE (tenant, source, name, title)
);

CREATE TABLE signal (
    key        uuid NOT NULL,               -- 48 bits of milliseconds, 80 bits keyed hash of (tenant, source, id)
    tenant     int4 NOT NULL,
    position   int8 NOT NULL,
    time       timestamptz NOT NULL,
    received   timestamptz NOT NULL,
    def        int4 NOT NULL,
    title      int4,                        -- title.id
    severity   int2 NOT NULL,
    confidence float8 NOT NULL,
    count      int8 NOT NULL,
    entities   int8[] NOT NULL,             -- entity.id, as posted
    roles      bytea NOT NULL,              -- one byte an entity: the program's role code
    content    int8 NOT NULL,               -- keyed digest: duplicate or conflict
    source_id  text NOT NULL,
    attributes text,                        -- JSON object as posted, minified; null when empty
    shown      text                         -- JSON: what differs from the canonical form (spelling, unlisted roles, aliases, a title beyond the dictionary)
) PARTITION BY RANGE (time);

-- Which signals arrived behind the watermark; the engine's mark.
CREATE TABLE late_signal (
    tenant int4 NOT NULL,
    key    uuid NOT NULL,
    time   timestamptz NOT NULL,
    PRIMARY KEY (tenant, key)
);

CREATE FUNCTION leaf_name(leaf_day date) RETURNS text LANGUAGE sql STABLE
    RETURN CASE WHEN leaf_day >= (SELECT daily_from FROM layout) THEN 'signal_d' || to_char(leaf_day, 'YYYYMMDD')
                ELSE 'signal_y' || to_char(leaf_day, 'YYYY') END;

-- First day of the leaf that holds a day.
CREATE FUNCTION leaf_day(day date) RETURNS date LANGUAGE sql STABLE
    RETURN CASE WHEN day >= (SELECT daily_from FROM layout) THEN day ELSE date_trunc('year', day)::date END;

-- Makes the leaf of a day where it is missing. ATTACH takes a weaker lock than CREATE TABLE … PARTITION OF, so ingest goes on meanwhile.
-- Leaves are append-only until they are sealed, so autovacuum stays away. Physical order is mostly, not always, that of positions: readers count against
-- batch.leaf_rows.
CREATE FUNCTION ensure_leaf(day date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    low date := leaf_day(day);
    high date := CASE WHEN low >= (SELECT daily_from FROM layout) THEN low + 1 ELSE (low + interval '1 year')::date END;
    name text := leaf_name(low);
BEGIN
    IF day < DATE '1990-01-01' THEN
        RAISE EXCEPTION 'no signals before 1990' USING ERRCODE = 'check_violation';
    END IF;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN name;
    END IF;
    PERFORM pg_advisory_xact_lock(7094661);
    IF to_regclass(name) IS NOT NULL THEN
        RETURN name;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE signal INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (autovacuum_enabled = false)', name);
    EXECUTE format('ALTER TABLE %I ADD CHECK (time >= %L AND time < %L)', name, low::timestamptz, high::timestamptz);
    EXECUTE format('CREATE UNIQUE INDEX ON %I (key)', name);
    EXECUTE format('CREATE INDEX ON %I USING brin (time)', name);
    EXECUTE format('GRANT INSERT ON %I TO catenary_ingest', name);
    EXECUTE format('ALTER TABLE signal ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, low::timestamptz, high::timestamptz);
    RETURN name;
END
$$;

-- Takes positions for a control entry and writes it with its batch row; the caller's transaction holds the log until it ends.
CREATE FUNCTION append_control(for_tenant int4, entry_kind text, entry_body text) RETURNS int8
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    taken int8;
BEGIN
    IF current_user_is_request() AND for_tenant IS DISTINCT FROM current_tenant() THEN
        RAISE EXCEPTION 'not this tenant' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE log SET next_position = next_position + 1 RETURNING next_position - 1 INTO taken;
    INSERT INTO control (position, tenant, admitted, kind, body) VALUES (taken, for_tenant, clock_timestamp(), entry_kind, entry_body);
    INSERT INTO batch (lane, first, last, leaf_days, leaf_rows, control)
        SELECT t.lane, taken, taken, '{}', '{}', true FROM tenant t WHERE t.id = for_tenant;
    RETURN taken;
END
$$;

-- Inside a SECURITY DEFINER function: whether a request (not the lane) is calling.
CREATE FUNCTION current_user_is_request() RETURNS bool LANGUAGE sql STABLE
    RETURN coalesce(nullif(current_setting('role', true), 'none'), session_user::text) NOT IN ('catenary_lane', 'catenary_owner');

-- The one look-up that happens before a tenant is known: by key id, never by tenant.
CREATE FUNCTION key_for(key_id text)
    RETURNS TABLE (tenant int4, tenant_name text, lane int2, secret_sha256 bytea, scopes int4, sources text[], expires timestamptz, operator bool)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.tenant, t.name, t.lane, k.secret_sha256, k.scopes, k.sources, k.expires, k.tenant = (SELECT min(id) FROM tenant)
    FROM api_key k JOIN tenant t ON t.id = k.tenant WHERE k.id = key_id AND (k.expires IS NULL OR k.expires > now())
$$;

CREATE FUNCTION key_used(key_id text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE api_key SET last_used = now() WHERE id = key_id AND (last_used IS NULL OR last_used < now() - interval '1 minute')
$$;

-- Makes a tenant with its first key. Only the operator's tenant (the first) may; the very first one needs nobody.
CREATE FUNCTION add_tenant(tenant_name text, key_id text, key_sha256 bytea, key_scopes int4) RETURNS int4
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made int4;
BEGIN
    PERFORM pg_advisory_xact_lock(7094662);
    IF EXISTS (SELECT FROM tenant) AND current_tenant() IS DISTINCT FROM (SELECT min(id) FROM tenant) THEN
        RAISE EXCEPTION 'only the operator makes tenants' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO tenant (name, lane) VALUES (tenant_name, 0) RETURNING id INTO made;
    UPDATE tenant SET lane = (made - 1) % (SELECT lanes FROM layout) WHERE id = made;
    INSERT INTO api_key (id, tenant, secret_sha256, scopes) VALUES (key_id, made, key_sha256, key_scopes);
    RETURN made;
END
$$;

CREATE FUNCTION tenant_page(after_id int4, how_many int4) RETURNS TABLE (id int4, name text, created timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF current_tenant() IS DISTINCT FROM (SELECT min(t.id) FROM tenant t) THEN
        RAISE EXCEPTION 'only the operator lists tenants' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT t.id, t.name, t.created FROM tenant t WHERE t.id > after_id ORDER BY t.id LIMIT how_many;
END
$$;

-- The layout of this database, fixed now.
INSERT INTO layout (daily_from, hash_key)
    VALUES (make_date(extract(year FROM now())::int - 1, 1, 1),
            decode(replace(gen_random_uuid()::text, '-', ''), 'hex'));
INSERT INTO lane (id) SELECT generate_series(0, (SELECT lanes FROM layout) - 1);

-- Row-level security. The owner's own functions above act for every tenant, so the owner has a policy; nobody logs in as the owner while serving.
DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['api_key', 'control', 'entity', 'def', 'title', 'signal', 'late_signal'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY request ON %I TO catenary_api USING (tenant = current_tenant()) WITH CHECK (tenant = current_tenant())', table_name);
    END LOOP;
    FOREACH table_name IN ARRAY ARRAY['signal', 'control', 'entity', 'def', 'title'] LOOP
        EXECUTE format('CREATE POLICY committer_reads ON %I FOR SELECT TO catenary_ingest USING (true)', table_name);
        EXECUTE format('CREATE POLICY lane_reads ON %I FOR SELECT TO catenary_lane USING (true)', table_name);
    END LOOP;
    FOREACH table_name IN ARRAY ARRAY['entity', 'def', 'title'] LOOP
        EXECUTE format('CREATE POLICY committer_interns ON %I FOR INSERT TO catenary_ingest WITH CHECK (true)', table_name);
    END LOOP;
END
$$;
CREATE POLICY lane_marks ON late_signal TO catenary_lane USING (true) WITH CHECK (true);
CREATE POLICY lane_dates ON entity FOR UPDATE TO catenary_lane USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA public TO catenary_ingest, catenary_lane, catenary_api;
GRANT SELECT ON layout, log, lane, tenant TO catenary_ingest, catenary_lane;
GRANT SELECT (lanes, daily_from) ON layout TO catenary_api;
GRANT UPDATE ON log TO catenary_ingest;
GRANT SELECT, INSERT ON batch TO catenary_ingest;
GRANT SELECT ON batch TO catenary_lane, catenary_api;
GRANT SELECT ON lane, log TO catenary_api;
GRANT UPDATE ON lane TO catenary_lane;
GRANT SELECT, INSERT ON entity, def, title TO catenary_ingest;
GRANT SELECT ON signal, control TO catenary_ingest, catenary_lane, catenary_api;
GRANT SELECT ON entity, def, title, late_signal TO catenary_lane, catenary_api;
GRANT UPDATE (first_seen, last_seen) ON entity TO catenary_lane;
GRANT INSERT, DELETE ON late_signal TO catenary_lane;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key TO catenary_api;

REVOKE EXECUTE ON FUNCTION ensure_leaf(date), append_control(int4, text, text), key_for(text), key_used(text),
    add_tenant(text, text, bytea, int4), tenant_page(int4, int4) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_leaf(date) TO catenary_ingest;
GRANT EXECUTE ON FUNCTION append_control(int4, text, text) TO catenary_lane, catenary_api;
GRANT EXECUTE ON FUNCTION key_for(text), key_used(text), add_tenant(text, text, bytea, int4), tenant_page(int4, int4) TO catenary_api;

-- Yearly leaves up to the year before the daily ones begin; days ahead are made by the committer.
SELECT ensure_leaf(make_date(y, 1, 1)) FROM generate_series(1990, (SELECT extract(year FROM daily_from)::int - 1 FROM layout)) AS y;

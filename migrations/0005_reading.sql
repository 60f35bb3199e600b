-- How requests read signals: functions of the owner that name one leaf after the other and keep to the caller's tenant themselves. A leaf by name has no
-- other leaves to plan for, and inside the functions `&&` may use an index, which row-level security forbids it (it is not leakproof).

-- Leaves that nothing is added to any more. They carry what ingest could not afford: an index by entity, definition and tenant, and filters by id.
CREATE TABLE sealed_leaf (
    leaf   text PRIMARY KEY,
    sealed timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- What a leaf measured when it was looked at last; one that has not grown for a while is sealed.
CREATE TABLE leaf_size (
    leaf  text PRIMARY KEY,
    bytes int8 NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Evidence by the signal it is.
CREATE INDEX ON finding_evidence (tenant, source, source_id);

-- The smallest key that a signal of this millisecond could have.
CREATE FUNCTION lowest_key(at timestamptz) RETURNS uuid LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(greatest(floor(extract(epoch FROM at) * 1000), 0)::int8), 12, '0') || repeat('0', 20))::uuid;
-- The millisecond of a key.
CREATE FUNCTION key_time(key uuid) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_timestamp(0) + ('x' || left(replace(key::text, '-', ''), 12))::bit(48)::int8 * interval '1 millisecond';

-- First instant of a leaf and of the next one.
CREATE FUNCTION leaf_from(leaf text) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN to_date(rpad(substr(leaf, 9), 8, '0101'), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC';
CREATE FUNCTION leaf_till(leaf text) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN (to_date(rpad(substr(leaf, 9), 8, '0101'), 'YYYYMMDD')
            + CASE WHEN leaf LIKE 'signal_d%' THEN interval '1 day' ELSE interval '1 year' END) AT TIME ZONE 'UTC';

-- The leaves there are: asking the catalogue for hundreds of partitions and their names would cost more than a page.
CREATE TABLE leaf (
    name   text PRIMARY KEY,
    starts timestamptz NOT NULL UNIQUE,
    ends   timestamptz NOT NULL
);
INSERT INTO leaf (name, starts, ends)
    SELECT c.relname, leaf_from(c.relname::text), leaf_till(c.relname::text) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'signal'::regclass;

-- As before, and enters the leaf in the list.
CREATE OR REPLACE FUNCTION ensure_leaf(day date) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
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
    INSERT INTO leaf VALUES (name, low::timestamptz, high::timestamptz);
    RETURN name;
END
$$;

-- Names of the leaves that may hold times from `low` to before `high`, oldest first.
CREATE FUNCTION leaves_between(low timestamptz, high timestamptz) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT name FROM leaf WHERE ends > low AND starts < high ORDER BY starts
$$;

-- A page of the caller's signals in the order (time, key), backwards or forwards: those from `low` to before `high` that come after the place
-- (place_time, place_key), null for the first page; definitions, entities and severities are filters, null for none.
--
-- Each leaf is walked along its keys, whose first 48 bits are the milliseconds of the time, some rows at a time and four times as many each time the page
-- is not full; what a chunk cuts is completed to whole milliseconds, in which rows are sorted by their exact time. A sealed leaf in which the first chunks
-- held too little is asked by index instead. After `patience` milliseconds the page ends where the walk is: its last row is then no signal but a
-- place to go on from, with a null tenant.
CREATE FUNCTION signal_page(newest_first bool, low timestamptz, high timestamptz, place_time timestamptz, place_key uuid, definitions int4[], linked int8[],
                            severities int2[], wanted int4, patience int4)
    RETURNS SETOF signal LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET jit = off
    SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    rows_before_index CONSTANT int4 := 5000;
    largest_chunk CONSTANT int4 := 65536;
    millisecond CONSTANT interval := interval '1 millisecond';
    me int4 := current_tenant();
    deadline timestamptz := clock_timestamp() + patience * millisecond;
    direction text := CASE WHEN newest_first THEN 'DESC' ELSE 'ASC' END;
    behind text := CASE WHEN newest_first THEN '<' ELSE '>' END;
    filters text := 'tenant = $1 AND time >= $2 AND time < $3' || CASE WHEN definitions IS NULL THEN '' ELSE ' AND def = ANY ($4)' END
                    || CASE WHEN linked IS NULL THEN '' ELSE ' AND entities && $5' END || CASE WHEN severities IS NULL THEN '' ELSE ' AND severity = ANY ($6)' END;
    by_index text := CASE WHEN linked IS NOT NULL THEN ' AND entities && $5' ELSE '' END || CASE WHEN definitions IS NOT NULL THEN ' AND ARRAY[def] && $4' ELSE '' END
                     || CASE WHEN linked IS NULL AND definitions IS NULL THEN ' AND ARRAY[tenant] && ARRAY[$1]' ELSE '' END;
    walked text;
    is_sealed bool;
    first_key uuid;
    end_key uuid;
    edge uuid;
    chunk int4;
    examined int8;
    got int8;
    searched bool := false;
BEGIN
    IF me IS NULL OR wanted < 1 THEN
        RETURN;
    END IF;
    IF place_time IS NOT NULL THEN
        IF newest_first THEN high := least(high, date_trunc('milliseconds', place_time) + millisecond);
        ELSE low := greatest(low, date_trunc('milliseconds', place_time));
        END IF;
    END IF;
    FOR walked IN EXECUTE 'SELECT name FROM leaf WHERE ends > $1 AND starts < $2 ORDER BY starts ' || direction USING low, high LOOP
        CONTINUE WHEN pg_relation_size(walked::regclass) = 0;
        is_sealed := EXISTS (SELECT FROM sealed_leaf s WHERE s.leaf = walked);
        first_key := lowest_key(greatest(low, leaf_from(walked)));
        end_key := lowest_key(least(high, leaf_till(walked)) + interval '999 microseconds');  -- up to a whole millisecond
        IF place_time >= leaf_from(walked) AND place_time < leaf_till(walked) THEN
            -- The rest of the instant of the place, then the rest of its millisecond.
            RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE key >= $7 AND key < $8 AND key %s $9 AND time = $10 AND %s ORDER BY key %s LIMIT $11',
                                        walked, behind, filters, direction)
                USING me, low, high, definitions, linked, severities, lowest_key(place_time), lowest_key(place_time + millisecond), place_key, place_time, wanted;
            GET DIAGNOSTICS got = ROW_COUNT;
            wanted := wanted - got::int4;
            EXIT WHEN wanted = 0;
            RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE key >= $7 AND key < $8 AND time %s $9 AND %s ORDER BY time %s, key %s LIMIT $10',
                                        walked, behind, filters, direction, direction)
                USING me, low, high, definitions, linked, severities, lowest_key(place_time), lowest_key(place_time + millisecond), place_time, wanted;
            GET DIAGNOSTICS got = ROW_COUNT;
            wanted := wanted - got::int4;
            EXIT WHEN wanted = 0;
            IF newest_first THEN end_key := lowest_key(place_time);
            ELSE first_key := lowest_key(place_time + millisecond);
            END IF;
        END IF;
        chunk := wanted;
        examined := 0;
        LOOP
            EXIT WHEN first_key >= end_key;
            searched := true;  -- every page gets on, however little patience there is
            IF is_sealed AND examined + chunk > rows_before_index THEN
                PERFORM set_config('enable_bitmapscan', 'on', true), set_config('enable_indexscan', 'off', true);
                RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE %s%s AND time >= $7 AND time < $8 ORDER BY time %s, key %s LIMIT $9',
                                            walked, filters, by_index, direction, direction)
                    USING me, low, high, definitions, linked, severities, key_time(first_key), key_time(end_key), wanted;
                GET DIAGNOSTICS got = ROW_COUNT;
                PERFORM set_config('enable_bitmapscan', 'off', true), set_config('enable_indexscan', 'on', true);
                wanted := wanted - got::int4;
                EXIT;
            END IF;
            EXECUTE format('SELECT key FROM %I WHERE key >= $1 AND key < $2 ORDER BY key %s OFFSET $3 LIMIT 1', walked, direction)
                INTO edge USING first_key, end_key, chunk - 1;
            IF newest_first THEN
                edge := coalesce(lowest_key(key_time(edge)), first_key);
            ELSE
                edge := coalesce(lowest_key(key_time(edge) + millisecond), end_key);
            END IF;
            RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE key >= $7 AND key < $8 AND %s ORDER BY time %s, key %s LIMIT $9', walked, filters, direction, direction)
                USING me, low, high, definitions, linked, severities, CASE WHEN newest_first THEN edge ELSE first_key END,
                      CASE WHEN newest_first THEN end_key ELSE edge END, wanted;
            GET DIAGNOSTICS got = ROW_COUNT;
            wanted := wanted - got::int4;
            EXIT WHEN wanted = 0;
            IF newest_first THEN end_key := edge;
            ELSE first_key := edge;
            END IF;
            IF first_key < end_key AND clock_timestamp() >= deadline THEN
                RETURN QUERY SELECT CASE WHEN newest_first THEN edge ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid END, NULL::int4, 0::int8,
                    CASE WHEN newest_first THEN key_time(edge) ELSE key_time(edge) - interval '1 microsecond' END,
                    now(), 0, NULL::int4, 0::int2, 0::float8, 0::int8, '{}'::int8[], ''::bytea, 0::int8, ''::text, NULL::text, NULL::text;
                RETURN;
            END IF;
            examined := examined + chunk;
            chunk := least(chunk::int8 * 4, largest_chunk)::int4;
        END LOOP;
        EXIT WHEN wanted = 0;
        IF searched AND clock_timestamp() >= deadline AND (CASE WHEN newest_first THEN leaf_from(walked) > low ELSE leaf_till(walked) < high END) THEN
            RETURN QUERY SELECT CASE WHEN newest_first THEN lowest_key(leaf_from(walked)) ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid END, NULL::int4, 0::int8,
                CASE WHEN newest_first THEN leaf_from(walked) ELSE leaf_till(walked) - interval '1 microsecond' END,
                now(), 0, NULL::int4, 0::int2, 0::float8, 0::int8, '{}'::int8[], ''::bytea, 0::int8, ''::text, NULL::text, NULL::text;
            RETURN;
        END IF;
    END LOOP;
END
$$;

-- The caller's signal of a source and id. With `known` (its key) or `at` (its time) one leaf is asked, by key. Without, every leaf is, newest first: a sealed
-- one by its filter, any other by reading it; after `patience` milliseconds the only row is no signal (null tenant) and says that nothing is known.
CREATE FUNCTION signal_named(wanted_source text, wanted_id text, at timestamptz, known uuid, patience int4)
    RETURNS SETOF signal LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET jit = off AS $$
DECLARE
    me int4 := current_tenant();
    deadline timestamptz := clock_timestamp() + patience * interval '1 millisecond';
    definitions int4[] := ARRAY(SELECT d.id FROM def d WHERE d.tenant = me AND d.source = wanted_source);
    walked text;
BEGIN
    IF known IS NOT NULL THEN
        at := key_time(known);
    END IF;
    FOR walked IN SELECT l.name FROM leaf l WHERE l.ends > coalesce(at, '-infinity') AND l.starts <= coalesce(at, 'infinity') ORDER BY l.starts DESC LOOP
        CONTINUE WHEN pg_relation_size(walked::regclass) = 0;
        IF at IS NULL AND clock_timestamp() >= deadline THEN
            RETURN QUERY SELECT lowest_key(leaf_till(walked)), NULL::int4, 0::int8, leaf_till(walked), now(), 0, NULL::int4, 0::int2, 0::float8, 0::int8, '{}'::int8[],
                ''::bytea, 0::int8, ''::text, NULL::text, NULL::text;
            RETURN;
        END IF;
        RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE tenant = $1 AND def = ANY ($2) AND source_id = $3%s LIMIT 1', walked,
                                    CASE WHEN known IS NOT NULL THEN ' AND key = $4' WHEN at IS NOT NULL THEN ' AND key >= $5 AND key < $6' ELSE '' END)
            USING me, definitions, wanted_id, known, lowest_key(at), lowest_key(at + interval '1 millisecond');
        IF FOUND THEN
            RETURN;
        END IF;
    END LOOP;
END
$$;

-- Indexes a leaf for reading. Writers of this leaf wait meanwhile, some seconds for a million rows; so only for one that is quiet.
CREATE FUNCTION seal_leaf(leaf text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s'
    SET maintenance_work_mem = '256MB' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = 'signal'::regclass AND i.inhrelid = to_regclass(leaf)) THEN
        RAISE EXCEPTION 'no leaf' USING ERRCODE = 'undefined_table';
    END IF;
    IF EXISTS (SELECT FROM sealed_leaf s WHERE s.leaf = seal_leaf.leaf) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE INDEX ON %I USING gin (entities, (ARRAY[def]), (ARRAY[tenant]))', leaf);
    EXECUTE format('CREATE INDEX ON %I USING brin (source_id text_bloom_ops) WITH (pages_per_range = 64)', leaf);
    EXECUTE format('ALTER TABLE %I RESET (autovacuum_enabled)', leaf);
    EXECUTE format('ANALYZE %I', leaf);
    INSERT INTO sealed_leaf (leaf) VALUES (seal_leaf.leaf);
END
$$;

-- Seals the oldest leaf that is over and has not grown for `quiet`; its name, or null when there is none.
CREATE FUNCTION seal_next_leaf(quiet interval) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    next_leaf text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7094663) THEN
        RETURN NULL;
    END IF;
    INSERT INTO leaf_size AS s (leaf, bytes)
        SELECT l, pg_relation_size(l::regclass) FROM leaves_between('-infinity', now()) l
        WHERE leaf_till(l) <= now() AND NOT EXISTS (SELECT FROM sealed_leaf d WHERE d.leaf = l) AND pg_relation_size(l::regclass) > 0
        ON CONFLICT (leaf) DO UPDATE SET bytes = excluded.bytes, since = clock_timestamp() WHERE s.bytes <> excluded.bytes;
    SELECT s.leaf INTO next_leaf FROM leaf_size s
        WHERE s.since <= clock_timestamp() - quiet AND NOT EXISTS (SELECT FROM sealed_leaf d WHERE d.leaf = s.leaf)
        ORDER BY substr(s.leaf, 9) LIMIT 1;
    IF next_leaf IS NOT NULL THEN
        PERFORM seal_leaf(next_leaf);
    END IF;
    RETURN next_leaf;
END
$$;

REVOKE EXECUTE ON FUNCTION signal_page(bool, timestamptz, timestamptz, timestamptz, uuid, int4[], int8[], int2[], int4, int4),
    signal_named(text, text, timestamptz, uuid, int4), seal_leaf(text), seal_next_leaf(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION signal_page(bool, timestamptz, timestamptz, timestamptz, uuid, int4[], int8[], int2[], int4, int4),
    signal_named(text, text, timestamptz, uuid, int4) TO catenary_api;
GRANT EXECUTE ON FUNCTION seal_next_leaf(interval) TO catenary_ingest;

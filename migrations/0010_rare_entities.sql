-- Pages of signals that few rows match, with less reading.

-- A page of the caller's signals in the order (time, key), backwards or forwards: those from `low` to before `high` that come after the place
-- (place_time, place_key), null for the first page; definitions, entities and severities are filters, null for none.
--
-- Each leaf is walked along its keys, whose first 48 bits are the milliseconds of the time, some rows at a time: as many as the page is expected to need by
-- what was found so far, at least twice and at most eight times those of the chunk before. What a chunk cuts is completed to whole milliseconds, in which rows
-- are sorted by their exact time. In a sealed leaf entities that few signals name are looked up by index instead, and a walk that finds little turns to
-- the index where that reads less: of N rows m match, the index reads m and the walk N / m for each row of the page, equal at m = sqrt(page * N). A leaf
-- without that index is read through from begin to end, which costs a third of a walk, when the walk would have to see a third of it and the patience left is
-- enough for it. After `patience` milliseconds the page ends where the walk is: its last row is then no signal but a place to go on from, with a null tenant.
CREATE OR REPLACE FUNCTION signal_page(newest_first bool, low timestamptz, high timestamptz, place_time timestamptz, place_key uuid, definitions int4[], linked int8[],
                            severities int2[], wanted int4, patience int4)
    RETURNS SETOF signal LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET jit = off
    SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    few CONSTANT int4 := 1000;
    row_bytes CONSTANT float8 := 250;           -- of a leaf; rather too few than too many
    reading_time CONSTANT interval := interval '300 microseconds';  -- of a thousand rows in order
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
    found int8;
    leaf_size float8;
    ask_index bool;
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
        found := 0;
        ask_index := false;
        leaf_size := pg_relation_size(walked::regclass) / row_bytes;
        IF is_sealed THEN
            leaf_size := greatest((SELECT reltuples FROM pg_class WHERE oid = walked::regclass), 1);
            IF linked IS NOT NULL AND first_key < end_key THEN
                EXECUTE format('SELECT count(*) FROM (SELECT entities FROM %I WHERE key >= $1 AND key < $2 ORDER BY key %s LIMIT $3) s WHERE entities && $4', walked, direction)
                    INTO got USING first_key, end_key, wanted, linked;
                IF got = 0 THEN  -- common entities stand in most pages: their postings would be long
                    PERFORM set_config('enable_bitmapscan', 'on', true), set_config('enable_indexscan', 'off', true);
                    EXECUTE format('SELECT count(*) FROM (SELECT FROM %I WHERE entities && $1 LIMIT $2) s', walked) INTO got USING linked, few;
                    PERFORM set_config('enable_bitmapscan', 'off', true), set_config('enable_indexscan', 'on', true);
                    CONTINUE WHEN got = 0;
                    ask_index := got < few;
                END IF;
            END IF;
        END IF;
        LOOP
            EXIT WHEN first_key >= end_key;
            searched := true;  -- every page gets on, however little patience there is
            IF is_sealed AND (ask_index OR examined::float8 * examined * wanted >= leaf_size * (found + 1) * (found + 1)) THEN
                PERFORM set_config('enable_bitmapscan', 'on', true), set_config('enable_indexscan', 'off', true);
                RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE %s%s AND time >= $7 AND time < $8 ORDER BY time %s, key %s LIMIT $9',
                                            walked, filters, by_index, direction, direction)
                    USING me, low, high, definitions, linked, severities, key_time(first_key), key_time(end_key), wanted;
                GET DIAGNOSTICS got = ROW_COUNT;
                PERFORM set_config('enable_bitmapscan', 'off', true), set_config('enable_indexscan', 'on', true);
                wanted := wanted - got::int4;
                EXIT;
            END IF;
            IF NOT is_sealed AND wanted * examined::float8 / (found + 1) * 3 > leaf_size AND clock_timestamp() + leaf_size / 1000 * reading_time < deadline THEN
                PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
                RETURN QUERY EXECUTE format('SELECT * FROM %I WHERE %s AND time >= $7 AND time < $8 ORDER BY time %s, key %s LIMIT $9', walked, filters, direction,
                                            direction)
                    USING me, low, high, definitions, linked, severities, key_time(first_key), key_time(end_key), wanted;
                GET DIAGNOSTICS got = ROW_COUNT;
                PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
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
            found := found + got;
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
            chunk := least(greatest(least(wanted * examined * 1.2 / (found + 1), chunk * 8.0), chunk * 2.0), largest_chunk)::int4;
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


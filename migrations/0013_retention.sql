-- Old days go; and a program that understands the log otherwise than the one before goes on from what that one reported.

-- By what the results so far were made. No row: by a program that did not say.
CREATE TABLE understanding (
    one       bool PRIMARY KEY DEFAULT true CHECK (one),
    engine    text NOT NULL,                -- version of the program
    catalogue text NOT NULL,                -- hash of the patterns that shipped
    since     int8 NOT NULL                 -- 0: the log read from its begin gives the results. Else results up to here were another's, or of a log that was whole then
);
GRANT SELECT, INSERT, UPDATE ON understanding TO catenary_lane;

-- How far back signals are kept. Days only ever move forward.
CREATE TABLE retention (
    one            bool PRIMARY KEY DEFAULT true CHECK (one),
    refused_before date,                    -- signals of days before it are not taken in any more
    announced      timestamptz,             -- when that became so
    kept_from      date,                    -- leaves of days before it are gone
    gone_until     int8 NOT NULL DEFAULT 0  -- what is gone had positions up to here
);
INSERT INTO retention DEFAULT VALUES;
GRANT SELECT ON retention TO catenary_ingest, catenary_lane, catenary_api;

-- As before, and makes no leaf of a day that is not kept.
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
    IF low < (SELECT kept_from FROM retention) THEN
        RAISE EXCEPTION 'signals of % are not kept any more', low USING ERRCODE = 'check_violation';
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

-- From now on signals of days more than `days` days ago are not taken in; the first day that still is. Null: there never was a limit, and `days` is null.
CREATE FUNCTION announce_retention(days int4) RETURNS date LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    limit_day date := current_date - days;
    known date;
BEGIN
    SELECT refused_before INTO known FROM retention;
    IF limit_day IS NULL OR known >= limit_day THEN
        RETURN known;
    END IF;
    UPDATE retention SET refused_before = limit_day, announced = clock_timestamp() WHERE refused_before IS NULL OR refused_before < limit_day;
    RETURN (SELECT refused_before FROM retention);
END
$$;

-- The oldest leaf none of whose days is taken in any more, `patience` after that was announced, so that requests under way have ended; and the greatest position
-- in it, 0 when it is empty. Null: there is none.
CREATE FUNCTION leaf_to_drop(patience interval, OUT name text, OUT last int8) LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
    SET jit = off AS $$
BEGIN
    SELECT l.name INTO name FROM leaf l, retention r
        WHERE l.ends <= r.refused_before AND r.announced <= clock_timestamp() - patience ORDER BY l.starts LIMIT 1;
    IF name IS NOT NULL THEN
        EXECUTE format('SELECT coalesce(max(position), 0) FROM %I', name) INTO last;
    END IF;
END
$$;

-- Drops that leaf with all that the log says of it, provided that a saved state of the engines holds it: then nobody has to read it again. False: there is no such
-- state yet. Readers of signals wait for it a moment, at most a second; then it gives up with lock_not_available.
CREATE FUNCTION drop_leaf(leaf_name text, last int8) RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC'
    SET lock_timeout = '1s' AS $$
DECLARE
    until timestamptz;
    kept date;
BEGIN
    PERFORM FROM retention FOR UPDATE;
    SELECT l.ends INTO until FROM leaf l, retention r WHERE l.name = drop_leaf.leaf_name AND l.ends <= r.refused_before;
    IF until IS NULL THEN
        RETURN true;  -- somebody else did
    END IF;
    IF last > 0 AND NOT EXISTS (SELECT FROM snapshot s, understanding u
                                WHERE s.position >= greatest(last, u.since) AND s.engine = u.engine AND s.catalogue = u.catalogue
                                GROUP BY s.position, s.lanes HAVING count(*) = s.lanes) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE %I', leaf_name);
    DELETE FROM leaf l WHERE l.name = drop_leaf.leaf_name;
    DELETE FROM sealed_leaf l WHERE l.leaf = drop_leaf.leaf_name;
    DELETE FROM leaf_size l WHERE l.leaf = drop_leaf.leaf_name;
    UPDATE retention SET kept_from = greatest(kept_from, until::date), gone_until = greatest(gone_until, last) RETURNING kept_from INTO kept;
    DELETE FROM late_signal l WHERE l.time < until;
    DELETE FROM batch b WHERE NOT b.control AND b.last <= drop_leaf.last
        AND NOT EXISTS (SELECT FROM unnest(b.leaf_days) AS d(day) WHERE DATE '1970-01-01' + d.day >= kept);
    RETURN true;
END
$$;

REVOKE EXECUTE ON FUNCTION announce_retention(int4), leaf_to_drop(interval), drop_leaf(text, int8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION announce_retention(int4), leaf_to_drop(interval), drop_leaf(text, int8) TO catenary_ingest;

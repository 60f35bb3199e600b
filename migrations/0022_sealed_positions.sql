-- A sealed leaf can be asked for the rows of a few positions: what comes late lies anywhere in it, and a reader of the log would have to look through all of it.
-- Several intervals a range, so that a late row does not make its range match everything in between. Leaves that were sealed before stay as they are.
CREATE OR REPLACE FUNCTION seal_leaf(leaf text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s'
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
    EXECUTE format('CREATE INDEX ON %I USING brin (position int8_minmax_multi_ops) WITH (pages_per_range = 64)', leaf);
    EXECUTE format('ALTER TABLE %I RESET (autovacuum_enabled)', leaf);
    EXECUTE format('ANALYZE %I', leaf);
    INSERT INTO sealed_leaf (leaf) VALUES (seal_leaf.leaf);
END
$$;

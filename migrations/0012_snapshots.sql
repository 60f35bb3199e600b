-- The state of the lanes' engines at some positions of the log, so that a start reads only what came after. May be thrown away at any time: the state follows
-- from the log. A set, all lanes at one position, is written in one transaction.
CREATE TABLE snapshot (
    position  int8 NOT NULL,                -- every entry up to here is in it
    lane      int2 NOT NULL REFERENCES lane,
    done      int8 NOT NULL,                -- of the lane at that time
    lanes     int2 NOT NULL CHECK (lanes > 0),  -- how many the set has
    made      timestamptz NOT NULL DEFAULT clock_timestamp(),
    engine    text NOT NULL,                -- version of the program
    catalogue text NOT NULL,                -- hash of the patterns that shipped
    bytes     int8 NOT NULL,
    chunks    int4 NOT NULL,
    sha256    bytea NOT NULL,               -- of the bytes
    PRIMARY KEY (position, lane)
);
CREATE TABLE snapshot_chunk (
    position int8 NOT NULL,
    lane     int2 NOT NULL,
    number   int4 NOT NULL,
    bytes    int4 NOT NULL CHECK (bytes BETWEEN 1 AND 16777216),
    content  bytea NOT NULL,                -- of so many bytes, packed by zlib
    PRIMARY KEY (position, lane, number),
    FOREIGN KEY (position, lane) REFERENCES snapshot ON DELETE CASCADE
);
ALTER TABLE snapshot_chunk ALTER content SET STORAGE EXTERNAL;
-- What reading the log up to there tells besides: who was heard from last when.
CREATE TABLE snapshot_source (
    position      int8 NOT NULL,
    tenant        int4 NOT NULL,
    source        text NOT NULL,
    domain        text NOT NULL,
    last_event    timestamptz NOT NULL,
    last_received timestamptz NOT NULL,
    PRIMARY KEY (position, tenant, source, domain)
);

DO $$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['snapshot', 'snapshot_chunk', 'snapshot_source'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
        EXECUTE format('CREATE POLICY owner ON %I TO catenary_owner USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('CREATE POLICY lane ON %I TO catenary_lane USING (true) WITH CHECK (true)', table_name);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO catenary_lane', table_name);
    END LOOP;
END
$$;

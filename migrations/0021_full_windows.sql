-- What a window that held as many signals as it may did.
ALTER TABLE tenant_status
    ADD COLUMN evicted_signals     int8 NOT NULL DEFAULT 0,  -- forgotten before their time
    ADD COLUMN turned_away_signals int8 NOT NULL DEFAULT 0;  -- found no room, and wait to be matched again

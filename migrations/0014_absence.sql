-- What a finding waits for, and what came too late to count against it.
ALTER TABLE finding
    ADD COLUMN waiting_until timestamptz,   -- of a waiting one: the watermark that decides
    ADD COLUMN absence       text;          -- JSON {awaited, late, more}; NULL where its pattern asks for no absence

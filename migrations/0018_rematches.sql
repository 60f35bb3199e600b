-- Signals that came when the engine had forgotten their time are matched again with what is stored of it. `behind_horizon` says that one waits for that.
GRANT UPDATE (behind_horizon) ON late_signal TO catenary_lane;

ALTER TABLE tenant_status
    ADD COLUMN rematches              int8 NOT NULL DEFAULT 0,
    ADD COLUMN rematch_signals        int8 NOT NULL DEFAULT 0,  -- read for them
    ADD COLUMN rematches_cut          int8 NOT NULL DEFAULT 0,  -- of which evidence may be missing
    ADD COLUMN rematches_given_up     int8 NOT NULL DEFAULT 0,  -- signals that stay unmatched
    ADD COLUMN rematch_backlog        int8 NOT NULL DEFAULT 0,  -- signals that wait
    ADD COLUMN oldest_rematch_waiting timestamptz;              -- event time of the earliest of them

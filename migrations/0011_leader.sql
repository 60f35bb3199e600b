-- The leader's sign of life. Who leads is decided by an advisory lock, which goes with the leader's session; a leader whose process stands still keeps its
-- session, and is known by its silence.
CREATE TABLE leader (
    one  bool PRIMARY KEY DEFAULT true CHECK (one),
    beat timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO leader DEFAULT VALUES;
GRANT SELECT, UPDATE ON leader TO catenary_lane;

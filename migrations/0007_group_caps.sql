-- How often a group of signals was too large for a pattern to be worked out whole.
ALTER TABLE tenant_status ADD COLUMN capped_groups int8 NOT NULL DEFAULT 0;

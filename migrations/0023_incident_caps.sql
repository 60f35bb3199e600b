-- How often a tenant's limits of incidents took effect.
ALTER TABLE tenant_status
    ADD COLUMN aggregated_findings int8 NOT NULL DEFAULT 0,  -- listed in one incident with others of their pattern and day
    ADD COLUMN incidents_cut_short int8 NOT NULL DEFAULT 0;  -- named more entities than they list

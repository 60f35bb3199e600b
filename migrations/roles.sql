-- The roles of Catenary. Idempotent; run by a role that may create roles.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['catenary_owner', 'catenary_ingest', 'catenary_lane', 'catenary_api'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        END IF;
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catenary') THEN
        CREATE ROLE catenary LOGIN NOINHERIT;
    END IF;
END
$$;
GRANT catenary_ingest, catenary_lane, catenary_api TO catenary;

-- Run once, by the database image, on an empty volume. The same roles as the development servers have.
\set owner_password `cat /run/secrets/owner_password`
\set app_password `cat /run/secrets/app_password`

CREATE ROLE dsar_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE dsar_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE dsar OWNER dsar_owner;
REVOKE ALL ON DATABASE dsar FROM PUBLIC;
GRANT CONNECT ON DATABASE dsar TO dsar_app;
\connect dsar
ALTER SCHEMA public OWNER TO dsar_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO dsar_app;

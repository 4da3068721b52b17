#!/bin/bash
# Runs once, on an empty data folder. Nura logs in as an ordinary role that may create its tenants' roles and schemas:
# not as the superuser, for whom the walls between tenants do not exist.
set -euo pipefail
: "${NURA_DATABASE_PASSWORD:?set it to the password of the role nura}"
psql -v ON_ERROR_STOP=1 -v password="$NURA_DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role nura login createrole password :'password';
create database nura owner nura;
\connect nura
create schema extensions;
create extension vector with schema extensions;
grant usage on schema extensions to public;
-- A tenant's table is small and its vectors lie out of line: with the default of 4 the planner overlooks the HNSW index.
alter database nura set random_page_cost = 1.1;
SQL

import type { Transaction } from './transaction.ts'

// The login of `DATABASE_URL` has no right on any table of Nura. It may become one of these roles or a tenant's, for a
// transaction, and what forgets to reads nothing.

/** Owns the schemas of control plane and tenants with all that is in them: for migrations and DDL only. */
export const ownerRole = 'nura_owner'
/** Role of the control plane: it can do nothing in a tenant's schema. */
export const controlRole = 'nura_control'

/** For the rest of the transaction. A tenant's role is named like its schema. */
export async function become(tx: Transaction, role: string): Promise<void> {
  await tx.query(`set local role "${role}"`)
}

/**
 * Makes a role that this login may become but whose rights it does not have before it does. Roles belong to the whole server,
 * so another database of it may hold this one already. For a superuser there is nothing to arrange: it has all rights anyway.
 */
export async function createRole(tx: Transaction, role: string): Promise<void> {
  await tx.query(`do $$ begin create role "${role}" nologin; exception when duplicate_object or unique_violation then null; end $$`)
  // Until PostgreSQL 15 a login inherits from all of its roles or from none; since 16 each membership says so for itself, and who
  // creates a role is a member of it that may not become it.
  await tx.query(`do $$
    declare
      each_says constant boolean := current_setting('server_version_num')::int >= 160000;
    begin
      if (select rolsuper from pg_roles where rolname = current_user) then return; end if;
      if each_says and (not pg_has_role('${role}', 'set') or pg_has_role('${role}', 'usage')) then
        execute 'grant "${role}" to current_user with inherit false, set true';
      elsif not each_says then
        if not pg_has_role('${role}', 'member') then grant "${role}" to current_user; end if;
        if pg_has_role('${role}', 'usage') then execute format('alter role %I noinherit', current_user); end if;
      end if;
    end $$`)
}

/** Gives a schema that the login owns, as versions before made them, with its tables to the owner. */
export async function handOver(tx: Transaction, schema: string): Promise<void> {
  const [foreign] = await tx.query('select 1 from pg_namespace where nspname = $1 and nspowner <> to_regrole($2)', [schema, ownerRole])
  if (!foreign) return
  // The schema last: without it the login finds no table in it any more, and until then its owner to be needs a grant.
  await tx.query(`grant create on schema "${schema}" to ${ownerRole}`)
  const tables = await tx.query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1 order by 1', [schema])
  for (const { name } of tables) await tx.query(`alter table "${schema}"."${name}" owner to ${ownerRole}`)
  await tx.query(`alter schema "${schema}" owner to ${ownerRole}`)
}

import { randomUUID } from 'node:crypto'
import { applyTenantMigrations, asMigrator } from './migrate.ts'
import { NuraError } from './nura-error.ts'
import { become, createRole, ownerRole } from './roles.ts'
import type { Store } from './store.ts'

/** Names of schema and role come from the tenant's id alone, so that nobody's input reaches an identifier. */
export function toSchemaName(tenantId: string): string {
  const schema = `t_${tenantId.replaceAll('-', '').toLowerCase()}`
  if (!/^t_[0-9a-f]{32}$/.test(schema)) throw new NuraError('unknown-tenant', 'There is no such tenant.')
  return schema
}

/** Creates a tenant with its role and schema in one transaction. @throws NuraError `tenant-exists` */
export async function provision(store: Store, tenant: { slug: string; name: string }): Promise<{ id: string; schema: string }> {
  const id = randomUUID()
  const schema = toSchemaName(id)
  await asMigrator(store, schema, async (tx) => {
    await createRole(tx, schema)
    await tx.query(`create schema "${schema}" authorization ${ownerRole}`)
    await become(tx, ownerRole)
    const [taken] = await tx.query('select 1 from nura.tenant where slug = $1', [tenant.slug])
    if (taken) throw new NuraError('tenant-exists', `There is a tenant "${tenant.slug}" already. Choose another name.`, { field: 'slug' })
    await tx.query('insert into nura.tenant (id, slug, name, schema_name) values ($1, $2, $3, $4)', [id, tenant.slug, tenant.name, schema])
    await tx.query(`grant usage on schema "${schema}" to "${schema}"`)
    await applyTenantMigrations(tx, schema)
  })
  return { id, schema }
}

/** Drops schema, role and control-plane rows of a tenant in one transaction. @returns rows that were there, by table. */
export async function unprovision(store: Store, tenant: { id: string; schema: string }): Promise<{ store: string; table: string; rows: number }[]> {
  const schema = toSchemaName(tenant.id)
  return asMigrator(store, schema, async (tx) => {
    await become(tx, ownerRole)
    const receipt: { store: string; table: string; rows: number }[] = []
    const count = async (table: string, from: string, values: unknown[]) => {
      const [found] = await tx.query<{ rows: number }>(`select count(*)::int as rows from ${from}`, values)
      receipt.push({ store: 'database', table, rows: found?.rows ?? 0 })
    }
    const tables = await tx.query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1 order by 1', [schema])
    for (const { name } of tables) await count(name, `"${schema}"."${name}"`, [])
    const owned = await tx.query<{ name: string }>(
      `select table_name as name from information_schema.columns where table_schema = 'nura' and column_name = 'tenant_id' order by 1`,
    )
    for (const { name } of owned) await count(`nura.${name}`, `nura."${name}" where tenant_id = $1`, [tenant.id])
    await tx.query(`drop schema if exists "${schema}" cascade`)
    await tx.query('delete from nura.migration where scope = $1', [schema])
    const gone = await tx.execute('delete from nura.tenant where id = $1', [tenant.id])
    receipt.push({ store: 'database', table: 'nura.tenant', rows: gone })
    // All that the role had rights on went with the schema; making and dropping roles is for the login.
    await tx.query('reset role')
    await tx.query(`drop role if exists "${schema}"`)
    return receipt
  })
}

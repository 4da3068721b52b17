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

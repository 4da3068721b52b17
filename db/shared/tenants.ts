import { z } from 'zod'
import type { Db } from '../index.ts'
import { NuraError } from '../nura-error.ts'
import { provision } from '../provision.ts'
import { storeOf } from '../store.ts'

export type Tenant = { id: string; slug: string; name: string; schema: string; createdAt: Date }

const slugs = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const columns = 'id, slug, name, schema_name as schema, created_at as "createdAt"'

/** @throws NuraError `bad-tenant-name`, `tenant-exists` */
export async function createTenant(db: Db, tenant: { slug: string; name: string }): Promise<Tenant> {
  if (!slugs.test(tenant.slug)) {
    throw new NuraError('bad-tenant-name', "A tenant's short name has 1 to 63 lower-case letters, digits and hyphens, such as `acme`.", { field: 'slug' })
  }
  if (tenant.name.trim().length === 0 || tenant.name.length > 200) {
    throw new NuraError('bad-tenant-name', "A tenant's name has 1 to 200 characters.", { field: 'name' })
  }
  const { id } = await provision(storeOf(db), tenant)
  return (await findTenant(db, id))!
}

/** The tenant with this short name, made when there is none. Several processes may ask at once. */
export async function ensureTenant(db: Db, tenant: { slug: string; name: string }): Promise<Tenant> {
  const found = await findTenant(db, tenant.slug)
  if (found) return found
  try {
    return await createTenant(db, tenant)
  } catch (error) {
    const made = error instanceof NuraError && error.code === 'tenant-exists' ? await findTenant(db, tenant.slug) : null
    if (made) return made
    throw error
  }
}

export async function findTenant(db: Db, slugOrId: string): Promise<Tenant | null> {
  const by = z.uuid().safeParse(slugOrId).success ? 'id' : 'slug'
  const rows = await db.control((tx) => tx.query<Tenant>(`select ${columns} from tenant where ${by} = $1 and closing_at is null`, [slugOrId]))
  return rows[0] ?? null
}

export function listTenants(db: Db): Promise<Tenant[]> {
  return db.control((tx) => tx.query<Tenant>(`select ${columns} from tenant where closing_at is null order by created_at, id`))
}

import { createHash } from 'node:crypto'
import type { Db } from '../index.ts'
import { NuraError } from '../nura-error.ts'
import { ensureTenant } from './tenants.ts'

/** A place of a platform as a whole: a Slack workspace, a Teams directory, a GitHub installation. */
export type Workspace = { surface: string; id: string; name: string }

/**
 * Says whose a workspace is before it installs Nura. Repeating it is harmless.
 * @throws NuraError `connected-elsewhere` when it belongs to another tenant
 */
export async function connectWorkspace(db: Db, tenantId: string, { surface, id }: Omit<Workspace, 'name'>): Promise<void> {
  const owner = await db.control(async ({ query }) => {
    await query('insert into workspace (surface, id, tenant_id) values ($1, $2, $3) on conflict do nothing', [surface, id, tenantId])
    return (await query<{ tenant_id: string }>('select tenant_id from workspace where surface = $1 and id = $2', [surface, id]))[0]
  })
  if (owner?.tenant_id !== tenantId) throw new NuraError('connected-elsewhere', `${surface}:${id} belongs to another tenant.`)
}

/** The tenant that a workspace was connected to; null when to none. */
export async function findWorkspaceTenant(db: Db, { surface, id }: Omit<Workspace, 'name'>): Promise<string | null> {
  const [owner] = await db.control((tx) => tx.query<{ id: string }>('select tenant_id as id from workspace where surface = $1 and id = $2', [surface, id]))
  return owner?.id ?? null
}

export function listWorkspaces(db: Db, tenantId: string): Promise<{ surface: string; id: string }[]> {
  return db.control((tx) => tx.query('select surface, id from workspace where tenant_id = $1 order by surface, id', [tenantId]))
}

/** The tenant of a workspace that installs Nura: the one it was connected to, else one of its own, made now. */
export async function provisionTenant(db: Db, workspace: Workspace): Promise<{ id: string }> {
  const { name } = workspace
  const known = await findWorkspaceTenant(db, workspace)
  if (known !== null) return { id: known }
  const slug = toSlug(workspace)
  const tenant = await ensureTenant(db, { slug, name: name.trim().slice(0, 200) || slug })
  await connectWorkspace(db, tenant.id, workspace)
  return tenant
}

/** As the platforms write their ids: Slack in capitals and digits, Teams as UUIDs, GitHub in digits. */
const usual = /^([A-Z0-9]{1,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Another one for every workspace: of two whose ids look alike neither may come into the other's tenant. */
function toSlug({ surface, id }: Omit<Workspace, 'name'>): string {
  const readable = `${surface}-${id}`.toLowerCase().replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '')
  return usual.test(id) ? readable : `${readable.slice(0, 30)}-${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
}

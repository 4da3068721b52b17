import type { Db } from '#db/index.ts'
import { remember } from '#db/shared/readers.ts'
import type { Audience } from '#server/retrieval/audience.ts'
import type { Workspace } from './installations.ts'

/** What a person may be shown who is known by a verified payload. Guests and people from elsewhere: what everyone may see. */
export async function toPersonAudience(db: Db, workspace: Workspace, user: string): Promise<Audience> {
  const person = await workspace.directory.person(user)
  if (person.guest || person.stranger) return { kind: 'public' }
  const id = `slack:${workspace.self.teamId}:${user}`
  await remember(db, workspace.tenantId, { kind: 'person', id, surface: 'slack' })
  return { kind: 'person', id }
}

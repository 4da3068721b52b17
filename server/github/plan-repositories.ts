import type { NewRepository, RepositoryPlace } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'

/** A repository as GitHub lists it for an installation. */
export type ListedRepository = { id: number; fullName: string; url: string; isPrivate: boolean; defaultBranch: string | null }

export type RepositoryPlan = {
  add: (NewRepository & { name: string })[]
  /** Other name, place, visibility or installation; the index stays. */
  move: RepositoryPlace[]
  /** Listed again before they were emptied. */
  revive: string[]
  /** Not listed any more. */
  forget: Repository[]
  /** Being forgotten, under a name that another one has now. */
  aside: string[]
  /** Their default branch is another one now. */
  sync: string[]
}

/**
 * What must change so that a tenant has exactly what GitHub lists for an installation. A repository is known by GitHub's
 * id, whatever it is called now; one that came from another installation of the tenant keeps its index.
 *
 * @param rows every repository of the tenant.
 * @param isComplete false when the listing may lack some: then nothing is forgotten.
 */
export function planRepositories(installationId: number, rows: Repository[], listed: ListedRepository[], isComplete: boolean): RepositoryPlan {
  const byExternalId = new Map(rows.flatMap((row) => (row.externalId == null ? [] : [[row.externalId, row] as const])))
  const ids = new Set(listed.map(({ id }) => id))
  const own = rows.filter((row) => row.source === 'github' && row.installationId === installationId)
  const forget = isComplete ? own.filter(({ externalId }) => externalId == null || !ids.has(externalId)) : []
  const others = rows.filter(({ externalId }) => externalId == null || !ids.has(externalId))
  const ending = others.filter((row) => row.state === 'forgetting' || forget.includes(row))
  const taken = new Set(others.filter((row) => !ending.includes(row)).map(({ name }) => name))
  const wanted = new Set(listed.map(({ fullName }) => fullName))
  const aside = ending.filter(({ name }) => wanted.has(name)).map(({ id }) => id)
  const plan: RepositoryPlan = { add: [], move: [], revive: [], forget, aside, sync: [] }

  for (const { id: externalId, fullName, url, isPrivate, defaultBranch } of listed) {
    const place = { name: taken.has(fullName) ? `github:${fullName}` : fullName, location: fullName, url, isPublic: !isPrivate, installationId }
    const row = byExternalId.get(externalId)
    if (row === undefined) {
      plan.add.push({ ...place, source: 'github', defaultBranch, externalId, audience: 'tenant' })
      continue
    }
    const isSame = Object.entries(place).every(([key, value]) => row[key as keyof typeof place] === value)
    if (!isSame) plan.move.push({ id: row.id, ...place })
    if (row.state === 'forgetting') plan.revive.push(row.id)
    else if (row.state === 'ready' && defaultBranch !== null && row.defaultBranch !== defaultBranch) plan.sync.push(row.id)
  }
  return plan
}

import type { Db } from '#db/index.ts'
import { listGithubInstallations } from '#db/shared/github-installations.ts'
import { findGithubPerson } from '#db/shared/github-people.ts'
import type { Logger } from '../log.ts'
import type { ReadableParts } from '../retrieval/readable-repositories.ts'
import type { Permissions } from './permissions.ts'

/** Milliseconds that a question waits for what its asker may read; what GitHub has not said by then is left out. */
const patienceMs = 5_000

/**
 * Says what a person may read on GitHub, by the account that they have linked: the number of the account decides, whatever
 * its name is by now, and only GitHub's own word opens a repository. A right is believed for as long as `permissions` keeps it.
 */
export function createMayReadOnGithub(parts: { db: Db; permissions: Permissions; log: Logger }): NonNullable<ReadableParts['mayReadOnGithub']> {
  const { db, permissions, log } = parts
  return async (tenant, reader, repositories) => {
    const [person, installations] = await Promise.all([findGithubPerson(db, tenant.id, reader), listGithubInstallations(db, tenant.id)])
    if (!person) return new Set()
    const own = new Set(installations.filter(({ state }) => state === 'active').map(({ id }) => id))
    const signal = AbortSignal.timeout(patienceMs)
    const judged = repositories.map(async ({ id, source, location, installationId }) => {
      if (source !== 'github' || typeof installationId !== 'number' || !own.has(installationId)) return []
      try {
        return (await permissions.mayRead(installationId, location, person.githubId, signal)) ? [id] : []
      } catch (error) {
        log.warn({ err: error, tenantId: tenant.id, repositoryId: id }, 'GitHub did not say whether a person may read a repository; it is left out')
        return []
      }
    })
    return new Set((await Promise.all(judged)).flat())
  }
}

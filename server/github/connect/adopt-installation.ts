import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { saveGithubInstallation, setGithubInstallationState } from '#db/shared/github-installations.ts'
import type { GithubApp } from '../app.ts'

/**
 * Gives an installation to a tenant on an operator's word. GitHub says whether the App has it, and whose it is.
 * @throws NuraError `connected-elsewhere`, `github-not-found`, `github-not-installed`, and what every call throws
 */
export async function adoptInstallation(db: Db, github: Pick<GithubApp, 'asApp'>, tenantId: string, id: number): Promise<{ account: string; isSuspended: boolean }> {
  const { data } = await github
    .asApp()
    .rest.apps.getInstallation({ installation_id: id })
    .catch((error: unknown) => {
      const isUnknown = error instanceof NuraError && error.code === 'github-not-found'
      throw isUnknown ? new NuraError('github-not-found', `The GitHub App has no installation ${id}. Its id is the number at the end of the address of its settings on GitHub.`, { cause: error }) : error
    })
  const { account } = data
  if (!account || !('login' in account)) throw new NuraError('github-not-installed', `Installation ${id} belongs to no account whose repositories could be read.`)
  await saveGithubInstallation(db, { id, tenantId, account: account.login, accountId: account.id })
  const isSuspended = Boolean(data.suspended_at)
  if (isSuspended) await setGithubInstallationState(db, id, 'suspended')
  return { account: account.login, isSuspended }
}

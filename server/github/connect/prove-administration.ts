import { NuraError } from '#db/nura-error.ts'
import type { GithubApp } from '../app.ts'

/**
 * Proves that a person administers an installation: an id in an address is an attacker's word.
 *
 * GitHub lists installations to everyone who may read one repository of theirs, so being listed is not enough. A person's
 * own account is theirs; of an organisation one must administer every repository that the App was given.
 *
 * @param userToken of the person
 * @throws NuraError `github-not-yours`, and what every call throws
 */
export async function proveAdministration(github: GithubApp, userToken: string, installationId: number, signal: AbortSignal): Promise<{ account: string; accountId: number }> {
  const person = github.asUser(userToken)
  const request = { signal }
  const listed = await person.paginate(person.rest.apps.listInstallationsForAuthenticatedUser, { per_page: 100, request }, ({ data }, done) => {
    const found = data.filter(({ id }) => id === installationId)
    if (found.length > 0) done()
    return found
  })
  const account = listed[0]?.account
  if (!account || !('login' in account)) throw notYours()
  const { data: self } = await person.rest.users.getAuthenticated({ request })
  const isOwn = account.type === 'User' ? account.id === self.id : await administersAll(github, person, installationId, signal)
  if (!isOwn) throw notYours()
  return { account: account.login, accountId: account.id }
}

async function administersAll(github: GithubApp, person: ReturnType<GithubApp['asUser']>, installationId: number, signal: AbortSignal): Promise<boolean> {
  const request = { signal }
  // The installation may be nobody's yet, so its calls cannot go by `github.as`.
  const { data: minted } = await github.asApp().rest.apps.createInstallationAccessToken({ installation_id: installationId, request })
  const { data: given } = await github.asUser(minted.token).rest.apps.listReposAccessibleToInstallation({ per_page: 1, request })
  let administered = 0
  for await (const { data } of person.paginate.iterator(person.rest.apps.listInstallationReposForAuthenticatedUser, { installation_id: installationId, per_page: 100, request })) {
    if (data.some(({ permissions }) => permissions?.admin !== true)) return false
    administered += data.length
  }
  return administered > 0 && administered >= given.total_count
}

function notYours(): NuraError {
  return new NuraError(
    'github-not-yours',
    'The GitHub account that you signed in with does not administer all repositories of that installation, so it cannot connect it. Ask an owner of the organisation, or let an operator connect it: npm run tenant -- connect NAME github:ID',
  )
}

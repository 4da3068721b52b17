import type { ActivityState } from '#db/tenant/activity-history.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { sayCount, sayList } from './say.ts'

/** A look at each repository is due every few minutes; what is older than this is told. */
const lateMs = 60 * 60_000
/** GitHub tells what happens within seconds. */
const silentMs = 24 * 60 * 60_000

type Known = { repositories: Repository[]; states: ActivityState[]; /** States of the teams that are asked for, where they are. */ teams: { org: string; fault: string | null }[]; now: Date }

/** What the rows lack, a sentence each; [] when they are whole. Speaks of no other repository than those given. */
export function findMissing({ repositories, states, teams, now }: Known): string[] {
  const stateOf = new Map(states.map((state) => [state.repositoryId, state]))
  const unfollowed = repositories.filter(({ id, source }) => source !== 'github' && !stateOf.has(id))
  const followed = repositories.filter((each) => !unfollowed.includes(each))
  const incomplete = followed.filter(({ id }) => !isComplete(stateOf.get(id)))
  const of = (each: Repository[]) => sayList(each.map(({ name }) => name))
  return [
    ...(unfollowed.length > 0 ? [`What happens in ${of(unfollowed)} is not followed: ${unfollowed.length === 1 ? 'it is' : 'they are'} read from a checkout.`] : []),
    ...(incomplete.length > 0 ? [`The history of ${of(incomplete)} is not read completely yet, so that older things may be missing.`] : []),
    ...followed.flatMap(({ id, name }) => {
      const state = stateOf.get(id)
      if (!state) return []
      const late = state.syncedAt !== null && now.getTime() - state.syncedAt.getTime() > lateMs
      const silent = state.pullsUntil !== null && state.toldAt !== null && state.pullsUntil.getTime() - state.toldAt.getTime() > silentMs
      return [
        ...(state.fault !== null ? [`${name} could not be read the last time: ${state.fault}`] : []),
        ...(late ? [`What happened in ${name} after ${state.syncedAt!.toISOString().slice(0, 16).replace('T', ' ')} UTC is not read yet.`] : []),
        ...(silent ? [`GitHub has not told of anything in ${name} by itself since ${state.toldAt!.toISOString().slice(0, 10)}: look whether its deliveries arrive.`] : []),
        ...(state.unread > 0 && isComplete(state) ? [`The reviews of ${sayCount(state.unread, 'pull request')} in ${name} are not read yet.`] : []),
      ]
    }),
    ...teams.filter(({ fault }) => fault !== null).map(({ org, fault }) => `The teams of ${org} could not be read: ${fault}`),
  ]
}

function isComplete(state: ActivityState | undefined): boolean {
  return state !== undefined && state.pullsComplete && state.issuesComplete && state.releasesComplete && state.deploymentsComplete
}

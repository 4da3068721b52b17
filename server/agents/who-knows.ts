import type { TenantDb } from '#db/index.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { readSourceFiles } from '#db/tenant/source-files.ts'
import { toAge } from '../age.ts'
import { ownersPaths } from '../indexing/keep-source-texts.ts'
import { span } from '../models/extractive/prose.ts'
import type { Passage } from '../retrieval/passage.ts'
import type { Committer, Source } from '../sources/source.ts'
import { findOwners, parseCodeOwners, toAccounts } from './code-owners.ts'

/** People who may know what the sources do not say. Owners are `@login` or `@org/team`; committers are known by name alone. */
export type WhoKnows = { owners: { accounts: string[]; pattern: string }[]; committers: Committer[] }

export type WhoKnowsParts = {
  /** Absent where no source can be opened: then only owners are named. */
  openSource?: ((repository: Repository) => Source) | undefined
  now(): Date
  /** Longest that committers are waited for, milliseconds. */
  patienceMs?: number
}

const most = { files: 3, rules: 2, accounts: 4, committers: 2 }
/** Who has not committed for longer may be gone. */
const recentMs = 365 * 24 * 3_600_000
const usualPatienceMs = 1_000

/**
 * Who owns the files nearest to a question, and who committed to them lately. Looks only at files of passages that were found,
 * which are those that the readers of the answer may see. Null when nobody is known; never throws but on abort.
 */
export async function findWhoKnows(parts: WhoKnowsParts, tenant: TenantDb, passages: Passage[], repositories: ReadonlyMap<string, Repository>, signal: AbortSignal): Promise<WhoKnows | null> {
  const nearest = passages.filter((passage, at) => passages.findIndex((other) => other.path === passage.path && other.repositoryId === passage.repositoryId) === at).slice(0, most.files)
  const repository = nearest[0] && repositories.get(nearest[0].repositoryId)
  if (!repository) return null
  const paths = nearest.filter(({ repositoryId }) => repositoryId === repository.id).map(({ path }) => path)
  const [owners, committers] = await Promise.all([readOwners(tenant, repository, paths).catch(() => []), readCommitters(parts, repository, paths, signal)])
  signal.throwIfAborted()
  return owners.length + committers.length > 0 ? { owners, committers } : null
}

async function readOwners(tenant: TenantDb, repository: Repository, paths: string[]): Promise<WhoKnows['owners']> {
  const files = new Map((await readSourceFiles(tenant, repository.id)).map(({ path, content }) => [path, content]))
  const text = ownersPaths.map((path) => files.get(path)).find((content) => content !== undefined)
  if (text === undefined) return []
  const rules = parseCodeOwners(text)
  const named = new Map<string, string[]>()
  for (const path of paths) {
    const rule = findOwners(rules, path)
    const accounts = toAccounts(rule?.owners ?? [])
    if (rule && accounts.length > 0) named.set(rule.pattern, accounts.slice(0, most.accounts))
  }
  return [...named].slice(0, most.rules).map(([pattern, accounts]) => ({ accounts, pattern }))
}

async function readCommitters({ openSource, now, patienceMs = usualPatienceMs }: WhoKnowsParts, repository: Repository, paths: string[], signal: AbortSignal): Promise<Committer[]> {
  const sha = repository.indexedSha
  if (!openSource || !sha) return []
  const late = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const { promise: given, resolve } = Promise.withResolvers<Committer[]>()
  const giveUp = () => resolve([])
  late.addEventListener('abort', giveUp, { once: true })
  try {
    // What does not come in time, or at all, is left out: the answer does not hang on it.
    const asked = Promise.resolve(openSource(repository).committers?.(paths, sha, late) ?? []).catch(() => [])
    const found = await Promise.race([asked, given])
    return found.filter(({ name, at }) => toName(name) !== '' && now().getTime() - at.getTime() < recentMs).slice(0, most.committers)
  } catch {
    return []
  } finally {
    late.removeEventListener('abort', giveUp)
  }
}

/**
 * One line for below an answer that found nothing. Names are somebody's text: nothing in them is live.
 * @param options.mayCall whether the owners have an account where the answer is read, and can be called there
 */
export function writeWhoKnows({ owners, committers }: WhoKnows, now: Date, options: { mayCall: boolean } = { mayCall: false }): string {
  const owned = owners.map(({ accounts, pattern }) => `${accounts.map(span).join(' ')} (CODEOWNERS of ${span(pattern)})`)
  const committed = committers.map(({ name, login, commits, at }) => {
    const age = toAge(now.getTime() - at.getTime())
    const work = commits === undefined ? `last commit ${age}` : `${commits} ${commits === 1 ? 'commit' : 'commits'}, last ${age}`
    return `${toName(name)} (${[...(login ? [span(`@${login}`)] : []), work].join(', ')})`
  })
  const call = options.mayCall && owned.length > 0 ? ' To call the owners, mention me with "ask them".' : ''
  return `Might know: ${[...owned, ...committed].join(', ')}.${call}`
}

/** Letters, digits and what stands within names: no mark-up, no address, no mention. */
function toName(name: string): string {
  const words = name.includes('@') ? '' : name.toWellFormed().normalize('NFC').replace(/[^\p{L}\p{M}\p{N}'’. -]/gu, ' ')
  return words.replace(/\.(?=\S)/g, '. ').replace(/\s+/g, ' ').trim().slice(0, 60).trim()
}

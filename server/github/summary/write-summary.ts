import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { readSourceFiles } from '#db/tenant/source-files.ts'
import { isBudgetSpent, spentNotice } from '../../day-budget.ts'
import { createSummaryFilter, toSettings } from '../../indexing/settings.ts'
import type { ModelCall } from '../../models/chain.ts'
import { usesTokens } from '../../models/index.ts'
import { observeCall } from '../../observe-call.ts'
import { storeCalls } from '../../store-answer.ts'
import { toMarks } from '../../sources/git-attributes.ts'
import { readAuthorWords, toReason } from './author-words.ts'
import type { AuthorWords } from './author-words.ts'
import { chooseHunks } from './choose-hunks.ts'
import { compose } from './compose.ts'
import type { Told } from './compose.ts'
import { createPermalink, toFacts } from './facts.ts'
import type { FileFacts, Permalink } from './facts.ts'
import { listChanges } from './list-changes.ts'
import { summaryAgent } from './prompt.ts'
import type { Pull } from './pull.ts'
import { readChanges } from './read-changes.ts'
import type { CommentRig } from './show-comment.ts'
import type { SummaryParts, SummaryRequest } from './summarise.ts'
import { tellWithModel } from './tell-with-model.ts'

type Writing = { parts: SummaryParts; tenant: TenantDb; repository: Repository; rig: CommentRig; request: SummaryRequest }

/** Reads the whole difference of a pull request and writes the comment about it. Changes nothing but the usage table. */
export async function writeSummary({ parts, tenant, repository, rig, request }: Writing, pull: Pull, signal: AbortSignal): Promise<NonNullable<PullRequest['summary']>> {
  const { github, at } = rig
  const list = await listChanges(github, parts.openSource(repository), at, pull, { signal, lastAttempt: request.lastAttempt })
  const attributes = (await readSourceFiles(tenant, repository.id)).filter(({ path }) => /(^|\/)\.gitattributes$/.test(path))
  const rules = { isWanted: createSummaryFilter(toSettings(repository.settings)), marksOf: toMarks(attributes) }
  const facts = await toFacts(await readChanges(github, at, pull, list, rules, signal), signal)
  const words = await readAuthorWords(pull, list.subjects)
  const permalink = createPermalink(`${parts.github.config.webUrl}/${repository.location}`, pull.headSha, list.mergeBase)
  const { told, files, notes } = await tell({ parts, tenant, repository, request }, { facts, words, permalink, headSha: pull.headSha, mergeBase: list.mergeBase }, signal)
  const { markdown, covered, total } = compose({ headSha: pull.headSha, files, permalink, reason: toReason(words), told, notes })
  return { sha: pull.headSha, baseRef: pull.baseRef, markdown, covered, total }
}

type Material = { facts: FileFacts[]; words: AuthorWords; permalink: Permalink; headSha: string; mergeBase: string | null }

/** With a language model, where there is one, the day's budget lets it, and it answers. */
async function tell(
  { parts, tenant, repository, request }: Pick<Writing, 'parts' | 'tenant' | 'repository' | 'request'>,
  { facts, words, permalink, headSha, mergeBase }: Material,
  signal: AbortSignal,
): Promise<{ told: Told | null; files: FileFacts[]; notes: string[] }> {
  const models = parts.models.filter(usesTokens)
  const isReadable = facts.some(({ hunks }) => hunks.length > 0)
  if (models.length === 0 || !isReadable) return { told: null, files: facts, notes: [] }
  if (await isBudgetSpent(tenant, parts.dayTokens)) return { told: null, files: facts, notes: [spentNotice] }

  const chosen = chooseHunks(facts, { repository: repository.name, repositoryId: repository.id, headSha, mergeBase }, Math.min(...models.map(({ limits }) => limits.inputTokens)))
  const byPath = new Map(facts.map((file) => [file.path, file]))
  const calls: ModelCall[] = []
  try {
    const told = await tellWithModel({
      models, words, chosen, signal,
      onCall(call) {
        calls.push(call)
        observeCall({ metrics: parts.metrics, log: request.log }, summaryAgent, call)
      },
      address: ({ path, startLine, endLine }) => {
        const file = byPath.get(path)!
        return permalink(file, file.status === 'removed' ? 'base' : 'head', startLine, endLine)
      },
    })
    if (told === null) return { told, files: facts, notes: ['What the language model wrote named no place of the diff, so this is put together from the diff alone.'] }
    // What no model read is not covered by what it says.
    const files = facts.map((file) => (file.left === null && file.hunks.length > 0 && !chosen.read.has(file.path) ? { ...file, left: 'beyond-limit' as const } : file))
    return { told, files, notes: [] }
  } catch (error) {
    const hasOther = parts.models.length > models.length
    if (signal.aborted || !hasOther || !(error instanceof NuraError) || error.code !== 'model-unavailable') throw error
    return { told: null, files: facts, notes: ['No language model answers just now, so this is put together from the diff alone.'] }
  } finally {
    await storeCalls(tenant, calls.map((call) => ({ agent: summaryAgent, call })), null)
  }
}

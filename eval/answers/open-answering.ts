import type { AnswerPart, Citation } from '#server/answer-part.ts'
import type { ServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { openIndex, readIndexed } from '../open-index.ts'
import type { IndexedChunk } from '../open-index.ts'

/** One question as it was answered. */
export type Told = { markdown: string; citations: Citation[]; abstained: boolean; agent: string; costUsd: number; /** All parts of it, without what is another each time. */ parts: AnswerPart[] }

/** A checkout that is indexed and answered from, as the server does it, with the models that the configuration names. */
export type Answering = {
  /** The commit that is indexed. */
  sha: string
  chunks: IndexedChunk[]
  /** Answers anew each time: nothing is remembered, neither in a thread nor in a cache. @throws the error's message when there is no answer */
  ask(question: string): Promise<Told>
  close(): Promise<void>
}

const log = createLog({ level: 'silent', process: 'eval' })

export async function openAnswering(dir: string, config: ServerConfig): Promise<Answering> {
  const index = await openIndex(dir)
  const core = createCore({ config, githubConfig: null, db: index.parts.db, log, metrics: createMetrics() })
  const close = async () => {
    await core.close()
    await index.close()
  }
  try {
    const { sha } = await core.indexSource(index.tenant, index.repository, index.source, {})
    return {
      sha,
      chunks: await readIndexed(index.tenant),
      ask: (question) => collect(core.answer(index.tenant, { text: question, audience: { kind: 'tenant' }, asker: 'eval' }, new AbortController().signal, { log })),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function collect(given: AsyncIterable<AnswerPart>): Promise<Told> {
  const parts: AnswerPart[] = []
  for await (const part of given) parts.push(part)
  const last = parts.at(-1)
  if (last?.kind !== 'done') throw new Error(last?.kind === 'error' ? last.message : 'an answer ended without saying so')
  return {
    markdown: parts.map((part) => (part.kind === 'text' ? part.markdown : '')).join(''),
    citations: parts.flatMap((part) => (part.kind === 'citation' ? [part.citation] : [])),
    abstained: last.abstained,
    agent: last.agent,
    costUsd: last.usage.costUsd,
    parts: withoutTimes(parts),
  }
}

/** How old something is, as `toAge` says it. */
const ages = /just now|\d+ (?:min|h|d) ago/g

/** Parts without ids and without what tells the time; a text that came in other pieces is the same text. */
export function withoutTimes(parts: AnswerPart[]): AnswerPart[] {
  const same: AnswerPart[] = []
  for (const part of parts) {
    const before = same.at(-1)
    if (part.kind === 'text' && before?.kind === 'text') before.markdown += part.markdown
    else same.push({ ...part })
  }
  return same.map((part) => {
    if (part.kind === 'text') return { ...part, markdown: part.markdown.replace(ages, 'some time ago') }
    if (part.kind !== 'done') return part
    return { ...part, answerId: '', trace: '', timings: {}, freshness: part.freshness.map((each) => ({ ...each, indexedAt: '' })) }
  })
}

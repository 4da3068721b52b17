import type { AnswerPart } from '#server/answer-part.ts'
import type { StoredAnswer } from './nura-api.ts'

/** A stored answer as the parts that it came in, so that it can be shown again: as it was, but for what its footer says. */
export async function* toOutdatedParts(answer: StoredAnswer, sha: string): AsyncGenerator<AnswerPart> {
  for (const citation of answer.citations) yield { kind: 'citation', citation }
  yield { kind: 'text', markdown: answer.markdown }
  for (const report of answer.reports) yield { kind: 'report', report }
  yield {
    kind: 'done',
    answerId: answer.id,
    agent: answer.agent,
    abstained: answer.abstained,
    // How fresh it was when it was given is no longer what matters.
    freshness: [],
    notice: `Source changed in ${sha.slice(0, 7)}`,
    usage: { models: [], tokens: 0, costUsd: 0 },
    timings: {},
    trace: '',
  }
}

import { NuraError } from '#db/nura-error.ts'
import { streamChain } from '../../models/chain.ts'
import type { ModelCall } from '../../models/chain.ts'
import type { ChatModel, ChatRequest } from '../../models/chat-model.ts'
import type { AuthorWords } from './author-words.ts'
import { checkNotes, checkTold } from './check-told.ts'
import type { ChosenHunks } from './choose-hunks.ts'
import type { Told } from './compose.ts'
import { limits } from './limits.ts'
import { toDescribeRequest, toNoteRequest } from './prompt.ts'
import type { HunkPassage } from './prompt.ts'

export type Telling = {
  /** Language models, first choice first. */
  models: readonly ChatModel[]
  words: AuthorWords
  chosen: ChosenHunks
  address(hunk: HunkPassage): string | null
  onCall(call: ModelCall): void
  signal: AbortSignal
}

/**
 * Has a language model say what a pull request changes: in one request where the diff fits into one, else notes on each part
 * and then a summary of the notes.
 * @returns null when the model said nothing that may be shown
 * @throws NuraError `model-unavailable`
 */
export async function tellWithModel({ models, words, chosen, address, onCall, signal }: Telling): Promise<Told | null> {
  const ask = (request: ChatRequest) => answerOf(models, request, signal, onCall)
  const hunks = chosen.groups.flat()
  if (hunks.length === 0) return null
  const written = [words.title, words.body, ...words.subjects]
  if (chosen.groups.length === 1) return checkTold(await ask(toDescribeRequest(words, { hunks, notes: null })), hunks, written, address)
  const notes: string[] = []
  for (const group of chosen.groups) notes.push(checkNotes(await ask(toNoteRequest(group)), group))
  const joined = fit(notes, limits.tokensToReduce * limits.charactersPerToken * 0.6)
  if (joined === '') return null
  const noted = hunks.filter(({ n }) => joined.includes(`[${n}]`))
  return checkTold(await ask(toDescribeRequest(words, { hunks: noted, notes: joined })), noted, written, address)
}

/** Each part keeps its share, so that no part is lost for another's length. */
function fit(notes: string[], most: number): string {
  const share = Math.floor(most / Math.max(1, notes.length))
  return notes
    .map((note) => (note.length <= share ? note : note.slice(0, Math.max(0, note.lastIndexOf('\n', share)))))
    .filter((note) => note !== '')
    .join('\n')
}

async function answerOf(models: readonly ChatModel[], request: ChatRequest, signal: AbortSignal, onCall: (call: ModelCall) => void): Promise<string> {
  const late = AbortSignal.timeout(limits.answerMs)
  let text = ''
  try {
    for await (const event of streamChain(models, () => request, { signal: AbortSignal.any([signal, late]), onCall, hasShown: () => false })) {
      if (event.kind === 'text') text += event.text
      if (event.kind === 'restart') text = ''
    }
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error
    throw new NuraError('model-unavailable', 'The model did not answer in time.', { retryable: true, cause: error })
  }
  return text
}

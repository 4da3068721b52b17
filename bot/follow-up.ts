import type { Message } from './platform.ts'

/** What is known of the thread a message stands in. `asker`: who last asked Nura there; null when unknown. */
export type ThreadState = { subscribed: boolean; muted: boolean; asker: string | null }

/** Whether to speak, and why: the reason is logged, for silence too. */
export type Route = { answer: boolean; reason: string }

const opener =
  /^(and |but |so |ok,? |okay,? |also |then |hm+,? )*(how|what|what's|where|where's|why|when|which|who|whose|is|are|was|were|does|do|did|has|have|should|will|would it|could it|can it|can i|can we|may i|explain|show|list|find|describe|summari[sz]e|compare|tell me)\b/i
const courtesy = /^(thanks?( you)?|thx|ty|ok(ay)?|cool|nice|great|perfect|got it|lgtm|\+1|yes|no|yep|nope|sure|done|same|agreed|makes sense|i see|awesome|wow)\b[^?]*$/i
const toAPerson = /^(@\S+|(hey|hi|hello)\s+\p{Lu}\p{L}+|\p{Lu}\p{Ll}{2,},)\s/u
const second = /\b(you|your|yours|u)\b/i

/**
 * Decides whether a message is for Nura. Named or alone with it: always. In a thread that Nura takes part in: only what
 * reads as a question and is plainly not for a person; whatever is in doubt stays unanswered.
 */
export function route(message: Pick<Message, 'text' | 'mentioned' | 'namesOthers' | 'author'> & { direct: boolean }, thread: ThreadState): Route {
  if (message.direct) return { answer: true, reason: 'direct' }
  if (message.mentioned) return { answer: true, reason: 'mentioned' }
  if (thread.muted) return { answer: false, reason: 'muted' }
  if (!thread.subscribed) return { answer: false, reason: 'not-subscribed' }
  if (message.namesOthers) return { answer: false, reason: 'names-someone-else' }
  const text = message.text.trim()
  if (text === '') return { answer: false, reason: 'empty' }
  if (courtesy.test(text)) return { answer: false, reason: 'courtesy' }
  if (toAPerson.test(text)) return { answer: false, reason: 'addressed-to-a-person' }
  const asks = text.endsWith('?') || opener.test(text)
  if (!asks) return { answer: false, reason: 'not-a-question' }
  const sameAsker = thread.asker !== null && thread.asker === message.author
  if (second.test(text) && !sameAsker) return { answer: false, reason: 'maybe-for-a-person' }
  if (!opener.test(text) && !sameAsker) return { answer: false, reason: 'in-doubt' }
  return { answer: true, reason: 'follow-up' }
}

/** Words that steer Nura instead of asking it. */
export const words = ['help', 'mute', 'unmute', 'stop', 'why', 'config', 'privacy'] as const
export type Word = (typeof words)[number] | 'empty'

const spellings: Record<string, Word> = {
  '': 'empty', help: 'help', '?': 'help', mute: 'mute', 'be quiet': 'mute', unmute: 'unmute', stop: 'stop', cancel: 'stop', why: 'why', 'why?': 'why', config: 'config', settings: 'config', privacy: 'privacy',
}

/** The word a message consists of, or null when it is a question. */
export function toWord(text: string): Word | null {
  return spellings[text.trim().toLowerCase().replace(/[.!]+$/, '')] ?? null
}

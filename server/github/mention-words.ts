import type { TenantDb } from '#db/index.ts'
import { answersInThread } from '#db/tenant/answers.ts'

/** What a mention may ask for beside a question. */
export type MentionWord = 'recheck' | 'ask-owners' | 'config' | 'privacy'

/** The word that a question consists of; null when it is a question. */
export function toMentionWord(question: string): MentionWord | null {
  const text = question.toLowerCase().replace(/["“”.!]/g, '').trim().replace(/^please\s+|[\s,]+please$/g, '')
  if (/^re-?check(?: (?:this|it|that|again))?$/.test(text)) return 'recheck'
  if (text === 'config' || text === 'privacy') return text
  return /^(?:ask|call|ping) (?:them|(?:the )?(?:code ?)?owners?)$/.test(text) ? 'ask-owners' : null
}

/** The question that a thread asked last, for one who wants it checked again; what was written where nothing was asked. */
export async function toRechecked(tenant: TenantDb, thread: string, question: string): Promise<string> {
  if (toMentionWord(question) !== 'recheck') return question
  const [last] = await answersInThread(tenant, thread, 1)
  return last?.question || question
}

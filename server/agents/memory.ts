import { visible } from '../models/extractive/prose.ts'

/** One question of a thread and how it was answered, as our own rows hold it. */
export type Turn = { question: string; markdown: string; abstained: boolean }

/** A message of the conversation around a question. `trusted` is false for people from outside. */
export type ContextMessage = { author: string; text: string; trusted: boolean }

/** Most tokens of memory and conversation together that a model is given, at some four characters a token. */
export const memoryTokens = 6_000
const charactersAToken = 4

/** What fits of a thread, the newest first to be taken: its last answers, then the conversation; both come back oldest first. */
export function withinBudget(turns: Turn[], context: ContextMessage[], tokens = memoryTokens): { turns: Turn[]; context: ContextMessage[] } {
  let room = tokens * charactersAToken
  const take = <T>(values: T[], length: (value: T) => number): T[] => {
    const kept: T[] = []
    for (const value of values.toReversed()) {
      if (length(value) > room) break
      room -= length(value)
      kept.unshift(value)
    }
    return kept
  }
  const last = take(turns.slice(-1), turnLength)
  const recent = take(context, ({ author, text }) => author.length + text.length)
  return { turns: [...(last.length > 0 ? take(turns.slice(0, -1), turnLength) : []), ...last], context: recent }
}

function turnLength({ question, markdown }: Turn): number {
  return question.length + markdown.length
}

const pronoun = /\b(?:it|its|that|this|they|them|their|these|those|there|he|she)\b/i
const continues = /^(?:and|but|so|or|also|then|ok(?:ay)?|what about|how about|where else|who else|anything else|how so|which ones?|more|show me|for example)\b/i
const bare = /^\W*(?:why|where|when|how|who|which|since when)\W*$/i
/** Pronouns that stand for the subject; «that», «this» and «there» only where no noun follows. */
const standsForSubject = /\b(?:it|this one|that one|that function|this function|that class|this class|that file|this file|(?:this|that)(?=\s*(?:[?.!,]|$|\b(?:is|was|does|do|called|used|tested|configured|defined|happen|work|come|get|in|for|to)\b)))\b(?!['’]s\b)/i

/**
 * A follow-up made whole from the turn before it: «and where is it tested?» after an answer about `verify` becomes
 * «and where is `verify` tested?». A question that stands on its own stays as it is.
 */
export function resolveFollowUp(question: string, turns: Turn[]): { question: string; carried: string | null } {
  const last = turns.at(-1)
  return last && pointsElsewhere(question) ? carry(question, subjectOf(last)) : { question, carried: null }
}

/**
 * A question that points at something instead of naming it, such as «what does this do?» asked on a line of code, with the
 * name of that. One that stands on its own stays as it is.
 * @param name as the code spells it
 */
export function withSubject(question: string, name: string): string {
  return pointsElsewhere(question) ? carry(question, `\`${name}\``).question : question
}

function pointsElsewhere(question: string): boolean {
  const words = question.match(/[\p{L}\p{N}_]+/gu) ?? []
  if (namesCode(question) || words.length > 14) return false
  return pronoun.test(question) || bare.test(question) || (continues.test(question.trim()) && words.length <= 6)
}

function carry(question: string, subject: string | null): { question: string; carried: string | null } {
  if (!subject) return { question, carried: null }
  const replaced = question.replace(standsForSubject, subject)
  return { question: replaced === question ? `${question.replace(/[?.!\s]+$/, '')} (${subject})?` : replaced, carried: subject }
}

/** What the answer before was about: the first name it spells as code; for one that found nothing, what was asked. */
function subjectOf({ question, markdown, abstained }: Turn): string | null {
  const prose = visible(markdown).split(/^\s*```/m)[0] ?? ''
  const names = abstained ? [] : [...prose.matchAll(/`([^`\n]{1,120})`/g)].map(([, name]) => name!)
  const name = names.find((each) => /^[\p{L}_$][\p{L}\p{N}_$.]*$/u.test(each) && !/\.(?:[cm]?[jt]sx?|py|go|rs|md|rst|json|ya?ml|toml|txt)$/.test(each)) ?? names.find((each) => /[/.]/.test(each) && !/\s/.test(each))
  if (name) return `\`${name}\``
  const asked = /^(?:where|what|who|which|how|why)\b(?:\s+(?:is|are|do|does|did|can|was|were|should|we|you|i|it|the|a|an|our))*\s+(.+?)\W*$/i.exec(question)?.[1]
  return asked && asked.length <= 80 ? asked : null
}

function namesCode(question: string): boolean {
  return /`|\w_\w|\p{Ll}\p{Lu}|\w\(\)|\w\/\w|\w\.(?:[cm]?[jt]s|py|go|rs|md)\b/u.test(question)
}

import { redact } from '../../indexing/redact.ts'
import { cleanText, removedLink } from '../../retrieval/clean-text.ts'
import { toVisibleMarkdown } from '../../visible-markdown.ts'
import { defang } from '../defang.ts'
import { shorten } from './markdown.ts'
import type { Pull } from './pull.ts'

/** What the author says of the pull request, without secrets; data, whoever reads it. */
export type AuthorWords = { title: string; body: string; subjects: string[] }

const longestTitle = 300
const longestBody = 4_000

export async function readAuthorWords({ title, body }: Pick<Pull, 'title' | 'body'>, subjects: string[]): Promise<AuthorWords> {
  // A key that was cut in two would be found in neither half.
  const clean = async (text: string, longest: number) => shorten((await redact(toVisibleMarkdown(text))).text.trim(), longest)
  return {
    title: await clean(title, longestTitle),
    body: await clean(body, longestBody),
    subjects: await Promise.all(subjects.map((subject) => clean(subject, 200))),
  }
}

/** Lines of a template, headings, check boxes, quotes, tables, trailers and pictures are no reason. */
const noReason = /^(?:#|[-*+]\s+\[[ xX]\]|>|\||!\[|<|```|~~~|---|===|\s*$)|^(?:signed-off-by|co-authored-by|closes?|fix(?:es)?|resolves?|refs?)\b[:\s]/i
/** Words to whoever reads along, not to people: they are no reason either. */
const order = /\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|guidelines)\b|\bsystem prompt\b|\byou are (?:an? )?(?:ai|assistant|language model|nura)\b|\b(?:approve|merge) this\b/i
const automatic = /^(?:merge (?:branch|pull request|remote)|revert "|fixup!|squash!|wip\b)/i

/**
 * Why, in the author's own words: the first sentence of the description that says more than the title, else subjects of
 * commits. Null where there is neither.
 */
export function toReason({ title, body, subjects }: AuthorWords): string | null {
  const sentence = firstSentence(body)
  if (sentence && !saysSame(sentence, title)) return quoted(sentence)
  // One word, such as "fix", tells nobody why.
  const own = [...new Set(subjects)].filter((subject) => /\s/.test(subject) && !automatic.test(subject) && !order.test(subject) && !saysSame(subject, title)).slice(0, 3)
  return own.length === 0 ? null : quoted(own.join('; '))
}

function firstSentence(body: string): string | null {
  const text = body.replace(/^(```|~~~)[\s\S]*?(?:^\1|$(?![\s\S]))/gm, '')
  for (const paragraph of text.split(/\n\s*\n/)) {
    const lines = paragraph.split('\n').filter((line) => !noReason.test(line.trim()))
    const joined = lines.join(' ').replace(/^[-*+]\s+/, '').replace(/\s+/g, ' ').trim()
    const sentence = /^.{12,}?[.!?](?=\s|$)/.exec(joined)?.[0] ?? joined
    if (sentence.split(' ').length >= 4 && !order.test(joined)) return sentence
  }
  return null
}

function saysSame(text: string, title: string): boolean {
  const bare = (words: string) => words.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' ').trim()
  const [one, other] = [bare(text), bare(title)]
  return one === '' || one === other || (other !== '' && (one.startsWith(other) || other.startsWith(one)) && Math.abs(one.length - other.length) < 20)
}

/** Somebody's sentence as text that links nowhere and formats nothing. */
function quoted(text: string): string | null {
  const plain = cleanText(text, 'prose').text.replaceAll(removedLink, '').replace(/[\\`*~[\]<>|#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '')
  const bare = plain.replace(/\(\s*\)/g, '').replace(/\s+/g, ' ').trim()
  return bare === '' ? null : defang(shorten(bare, 280)).replace(/\s*\n\s*/g, ' ')
}

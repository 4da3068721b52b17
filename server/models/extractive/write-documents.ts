import { fileRole } from '../../retrieval/file-role.ts'
import type { Passage } from '../../retrieval/passage.ts'
import { distinct, settingsOf } from './neighbours.ts'
import { comments, isDocument, paragraphs, told } from './paragraphs.ts'
import type { Paragraph } from './paragraphs.ts'
import { quote, sentences, span } from './prose.ts'
import type { Reading } from './reading.ts'
import { bestWindow, blockOf, toSnippet } from './snippet.ts'
import { rankSections } from './subject.ts'
import type { Section } from './subject.ts'
import { cite, headingOf, sectionAt } from './wording.ts'
import type { Draft } from './wording.ts'


/** From documents: what the best section says, what others add, and its command or setting. */
export function writeSection(reading: Reading, section: Section, options: { block: boolean }): Draft {
  const [best = section.told[0], ...more] = section.told.filter(({ text }) => isSaying(text))
  const worth = best ? reading.coverage(best.text) : 0.5
  const others = rankSections(reading).filter(
    (other) => other.passage !== section.passage && other.told.length > 0 && other.score > 0.6 * section.score && isSaying(other.told[0]!.text) && reading.coverage(other.told[0]!.text) >= Math.max(0.35, 0.7 * worth),
  )
  const says = best ? `says: ${quote(telling(reading, best), 320)}` : 'shows it in code'
  const lead = [`${capital(sectionAt(section.passage))} ${says} ${cite(section.passage)}.`]
  const list = [
    ...more.filter((paragraph) => reading.coverage(paragraph.text) >= 0.4 * worth).slice(0, 2).map((paragraph) => `${quote(telling(reading, paragraph), 220)} ${cite(section.passage)}`),
    ...distinct(others, ({ passage }) => sectionAt(passage)).slice(0, 3).map((other) => `${capital(sectionAt(other.passage))}: ${quote(telling(reading, other.told[0]!), 200)} ${cite(other.passage)}`),
  ]
  const snippets = options.block ? [blockIn(reading, section.passage)] : []
  return { lead, list: distinct(list, (bullet) => bullet.replace(/ \[\d+\]$/, '')), snippets }
}

/** «How do I …»: the section that tells it, the settings and scripts that name it, and the command itself. */
export function writeHowTo(reading: Reading, section: Section | undefined): Draft | undefined {
  const settings = settingsOf(reading, (passage) => !isDocument(passage) && ['config', 'data'].includes(fileRole(passage.path)))
  const strong = settings[0]?.isKey ? settings.filter(({ isKey }) => isKey) : settings
  if (section && !settings[0]?.isKey && (section.firm || strong.length === 0)) {
    const draft = writeSection(reading, section, { block: true })
    return { ...draft, list: [...strong.slice(0, 2).map(({ text }) => text), ...draft.list] }
  }
  const [first, ...more] = strong
  if (!first) return undefined
  const told = section ? writeSection(reading, section, { block: true }) : undefined
  return {
    lead: [`It is set up in ${first.text}.`],
    list: [...more.slice(0, 2).map(({ text }) => text), ...(told ? [told.lead[0]!.replace(/\.$/, ''), ...told.list] : [])],
    snippets: told?.snippets ?? [],
  }
}

/** The one or two neighbouring sentences of a paragraph that hold most of the question. */
function telling(reading: Reading, paragraph: Paragraph): string {
  const all = sentences(paragraph.text)
  if (all.length <= 2) return paragraph.text
  const worth = all.map((sentence, at) => reading.coverage(`${sentence} ${all[at + 1] ?? ''}`) - at * 0.01)
  const at = worth.indexOf(Math.max(...worth))
  return all.slice(at, at + 2).join(' ')
}

/** More than an entry of a table of contents. */
function isSaying(text: string): boolean {
  return text.split(/\s+/).length >= 5
}

/** The block of a section, or of the passage that follows it. */
function blockIn(reading: Reading, passage: Passage, depth = 0): string {
  const block = blockOf(reading, passage)
  if (block) return toSnippet({ ...passage, language: block.language || null }, { from: block.from, to: Math.min(block.to, block.from + 9) })
  const next = reading.passages.find((each) => each.path === passage.path && each.repositoryId === passage.repositoryId && each.startLine === passage.endLine + 1)
  return next && depth === 0 ? blockIn(reading, next, 1) : ''
}

const reasons = /\b(?:because|since|so that|in order to|to (?:avoid|prevent|ensure|keep|allow|make sure)|otherwise|due to|reason|therefore|prevents?|avoids?|instead of|rather than|workaround|must not|cannot|would (?:otherwise|break|fail|lose)|unless|which (?:is why|means))\b/i

/** «Why …»: the comments and documents that hold a reason, in their own words; says so when none does. */
export function writeReason(reading: Reading): Draft | undefined {
  const found = reading.passages
    .flatMap((passage) => (isDocument(passage) ? paragraphs(passage) : comments(passage)).flatMap((paragraph) => told(paragraph).map((sentence) => ({ ...sentence, passage }))))
    .map((sentence) => {
      const context = `${sentence.paragraph.text} ${sentence.passage.scope.join(' ')}`
      const covered = 0.7 * reading.coverage(sentence.text) + 0.3 * reading.coverage(context)
      const text = isSaying(sentence.text) && reasons.test(sentence.text) ? sentence.text : withNext(sentence)
      const because = reasons.test(text) || /\b(?:reasons?|decisions?|rationale|why)\b/i.test(sentence.passage.scope.join(' '))
      return { ...sentence, text, because, covered, worth: covered + (because ? 0.35 : 0) + 0.2 * reading.standing(sentence.passage) }
    })
    .filter(({ covered, because }) => covered >= (because ? 0.4 : 0.62))
    .sort((a, b) => b.worth - a.worth)
  const best = distinct(found, ({ paragraph, passage }) => `${passage.n} ${paragraph.startLine}`).slice(0, 4)
  const [first, ...more] = best
  if (!first) return undefined
  const lead = first.because && first.covered >= 0.5
    ? `The reason given in ${sourceOf(first)}: ${quote(first.text, 320)} ${cite(first.passage)}.`
    : `I found no reason spelled out; the nearest is in ${sourceOf(first)}: ${quote(first.text, 320)} ${cite(first.passage)}.`
  const list = more.filter((each) => each.because && each.covered >= 0.75 * first.covered).slice(0, 3).map((each) => `${capital(sourceOf(each))}: ${quote(each.text, 240)} ${cite(each.passage)}`)
  const { startLine, endLine } = first.paragraph
  const below = Math.min(first.passage.endLine, endLine + 3, startLine + 9)
  const code = isDocument(first.passage) || endLine - startLine > 5 ? '' : toSnippet(first.passage, { from: startLine, to: below })
  return { lead: [lead], list, snippets: [code] }
}

/** A sentence with what follows it in its paragraph: what a short statement says is often explained by the next. */
function withNext({ text, paragraph }: { text: string; paragraph: Paragraph }): string {
  const all = sentences(paragraph.text)
  const at = all.indexOf(text)
  return all.slice(at, at + (isSaying(text) ? 2 : 3)).join(' ')
}

function sourceOf({ passage, paragraph }: { passage: Passage; paragraph: Paragraph }): string {
  if (isDocument(passage)) return sectionAt(passage)
  const lines = paragraph.startLine === paragraph.endLine ? `line ${paragraph.startLine}` : `lines ${paragraph.startLine}–${paragraph.endLine}`
  return `a comment of ${span(passage.path)} (${lines})`
}

/** «What is this»: how the documents introduce it, what they tell of, and where to go on. */
export function writeOverview(reading: Reading): Draft | undefined {
  const introduces = (passage: Passage) => /(?:^|\/)(?:readme|index|introduction|overview|about)\.[a-z]+$/i.test(passage.path) || /\b(?:introduction|overview|features?|getting started|quick ?start|usage|about|what is)\b/i.test(passage.scope.join(' '))
  const documents = reading.passages.filter((passage) => isDocument(passage) && introduces(passage) && paragraphs(passage).length > 0)
  const name = (passage: Passage) => RegExp.escape(passage.repository.split('/').at(-1)!)
  const defines = (passage: Passage) => paragraphs(passage).some(({ text }) => new RegExp(`^(?:the )?["\`]?(?:${name(passage)}|this (?:project|repository|library|tool|package|app|framework))\\b.{0,40}\\b(?:is|are|provides?|helps?|lets|makes|answers|allows)\\b`, 'i').test(text))
  const isNews = (passage: Passage) => /\b(?:news|release|available|announc\w+|sponsors?|contribut\w+|licen[cs]e|donate)\b/i.test(passage.scope.at(-1) ?? '')
  const standing = (passage: Passage) => (defines(passage) ? 2 : 0) - (isNews(passage) ? 2 : 0) + (/(?:^|\/)readme/i.test(passage.path) ? 2 : 0) - passage.path.split('/').length * 0.8 - passage.startLine / 100
  const [first, ...more] = documents.sort((a, b) => standing(b) - standing(a))
  if (!first) return undefined
  const all = paragraphs(first)
  const start = Math.max(0, all.findIndex(({ text }) => new RegExp(`^\\W*(?:the )?${name(first)}\\b.{0,40}\\b(?:is|provides?|helps?|lets|makes|answers)\\b`, 'i').test(text)))
  const intro = all.slice(start, start + 2).map(({ text }) => text).join(' ')
  const list = more
    .slice(0, 8)
    .map((passage) => ({ passage, heading: headingOf(passage), said: sentences(paragraphs(passage)[0]!.text)[0] ?? '' }))
    .filter(({ passage, heading, said }) => heading !== '' && isSaying(said) && !isNews(passage))
    .map(({ passage, said }) => `${capital(sectionAt(passage))}: ${quote(said, 180)} ${cite(passage)}`)
  return { lead: [`${span(first.path)} introduces it: ${quote(sentences(intro).slice(0, 3).join(' '), 420)} ${cite(first)}.`], list, snippets: [] }
}

/** When neither a definition nor a section stands out: the lines that hold most of the question. */
export function writeLines(reading: Reading): Draft {
  const best = reading.passages.map((passage) => ({ passage, ...bestWindow(reading, passage) })).sort((a, b) => b.worth - a.worth || a.passage.n - b.passage.n)
  const [first, ...more] = distinct(best, ({ passage }) => passage.path)
  const at = ({ passage, from, to }: (typeof best)[number]) => `${span(passage.path)} (lines ${from}–${to}) ${cite(passage)}`
  return { lead: [`The lines closest to your question are in ${at(first!)}.`], list: more.slice(0, 3).map((each) => `Also ${at(each)}`), snippets: [toSnippet(first!.passage, first!)] }
}

function capital(text: string): string {
  return text.startsWith('`') ? text : text[0]!.toUpperCase() + text.slice(1)
}

import type { AnswerDone, Citation, Freshness, Report } from '#server/answer-part.ts'
import { toAge } from '#server/age.ts'
import { agents } from '#server/agents/index.ts'
import { distinctSources } from '../distinct-sources.ts'
import { toPathLabel } from '../path-label.ts'
import type { CardAttachment } from './activity.ts'
import { paragraph } from './card-text.ts'
import type { Element } from './card-text.ts'
import { toLines } from './entities.ts'
import { plain } from './prose.ts'
import { reportElements } from './report-card.ts'
import type { ReportRoom } from './report-card.ts'

/** Most sources that are listed under an answer, and most repositories whose state is. */
const mostSources = 5
const mostStates = 3

/** What a click does: its name with the row that it belongs to, as an action of a card. */
function button(verb: string, title: string, value: string): Element {
  return { type: 'Action.Execute', verb, title, data: { value } }
}

export type CardOptions = {
  inboxId: string
  now: number
  /** The answer replaced an earlier one. */
  updated: boolean
  /** A source of it has changed since. */
  outdated: boolean
}

/**
 * What stands below an answer: its reports, its sources, how fresh they are, and what can be done with it. Reports give way
 * until the card fits into `room` bytes.
 */
export function answerCard(done: AnswerDone, cited: Citation[], reports: Report[], options: CardOptions, room: number): CardAttachment {
  const build = (space: ReportRoom) =>
    card(
      [...reports.flatMap((report) => reportElements(report, space)), ...sourceElements(cited), ...footerElements(done, options)],
      [
        ...(options.outdated ? [button('recheck', 'Re-check', options.inboxId)] : []),
        button('why', 'Why?', options.inboxId),
        // What was not found is told no better by another.
        ...(done.abstained ? [] : agents).filter(({ name }) => name !== done.agent).map(({ name, title }) => button('lens', `As ${title}`, `${name} ${options.inboxId}`)),
      ],
      reports.length > 0,
    )
  const spaces: ReportRoom[] = [...[25, 12, 6].map((rows) => ({ rows, charts: true })), ...[6, 3, 0].map((rows) => ({ rows, charts: false }))]
  const cards = spaces.values().map(build)
  return cards.find((made) => Buffer.byteLength(JSON.stringify(made)) <= room) ?? card(footerElements(done, options), [button('why', 'Why?', options.inboxId)])
}

export function retryCard(inboxId: string): CardAttachment {
  return card([], [button('retry', 'Retry', inboxId)])
}

export function rerunCard(inboxId: string): CardAttachment {
  return card([], [button('rerun', 'Re-run', inboxId)])
}

/** Up to three questions that can be answered here. */
export function questionsCard(questions: string[]): CardAttachment {
  const tries = questions.slice(0, 3).map((question) => paragraph([{ text: `• ${plain(question)}` }], { spacing: 'none' }))
  return card([paragraph([{ text: 'Try one of these', weight: 'bolder' }]), ...tries], [])
}

/** Each source once: `[1] path L10–42 · a1b2c3d`, or its title where it has one. */
function sourceElements(citations: Citation[]): Element[] {
  const distinct = distinctSources(citations)
  const lines = distinct.slice(0, mostSources).map((citation, index) =>
    paragraph([{ text: `[${citation.n}] ${citation.title ?? `${toPathLabel(citation.path)} ${toLines(citation)}`}`, url: citation.url }, ...(citation.title ? [] : [{ text: ` · ${citation.sha.slice(0, 7)}`, subtle: true }])], {
      size: 'small',
      spacing: index === 0 ? 'medium' : 'none',
      ...(index === 0 && { separator: true }),
    }),
  )
  const more = distinct.length - mostSources
  return [...lines, ...(more > 0 ? [paragraph([{ text: `and ${more} more`, subtle: true }], { size: 'small', spacing: 'none' })] : [])]
}

function footerElements({ freshness, notice }: Pick<AnswerDone, 'freshness' | 'notice'>, { now, updated }: CardOptions): Element[] {
  const lines = [...freshness.slice(0, mostStates).map((state) => toState(state, now)), ...(updated ? ['updated'] : []), ...(notice ? [notice] : [])]
  return lines.map((text, index) => paragraph([{ text, subtle: true }], { size: 'small', spacing: index === 0 ? 'small' : 'none' }))
}

/** `repo@sha (branch) · indexed 4 min ago`. */
function toState({ repository, sha, branch, indexedAt }: Freshness, now: number): string {
  return `${repository}@${sha.slice(0, 7)}${branch ? ` (${branch})` : ''} · indexed ${toAge(now - Date.parse(indexedAt))}`
}

function card(body: Element[], actions: Element[], isWide = false): CardAttachment {
  return {
    contentType: 'application/vnd.microsoft.card.adaptive',
    content: { type: 'AdaptiveCard', version: '1.5', ...(isWide && { msteams: { width: 'Full' } }), body, actions },
  }
}

import type { AnswerDone, Citation } from '#server/answer-part.ts'
import { toAge } from '#server/age.ts'
import { agents } from '#server/agents/index.ts'
import { distinctSources } from '../distinct-sources.ts'
import { toPathLabel } from '../path-label.ts'
import { feedbackReasons } from '../feedback-reasons.ts'
import { mrkdwnLink } from './mrkdwn-link.ts'
import { escapeMrkdwn } from './prose.ts'

/** A Block Kit block as it goes over the wire. */
export type Block = Record<string, unknown> & { type: string }

export const actions = { feedback: 'feedback', why: 'why', lens: 'lens', retry: 'retry', rerun: 'rerun', recheck: 'recheck', askHuman: 'ask-human', callHelp: 'call-help', resolveHelp: 'resolve-help', feedbackForm: 'feedback-reason' } as const

/** Most sources that are listed under an answer. */
const mostSources = 5
const longestSection = 2900

export function markdownBlock(text: string): Block {
  return { type: 'markdown', text }
}

/** A piece of `mrkdwn`. Slack takes 3,000 characters. */
export function sectionBlock(text: string): Block {
  return { type: 'section', text: { type: 'mrkdwn', text: text.slice(0, 2990), verbatim: true } }
}

/** Lines as few sections as hold them; a line is never cut in two, for it may end in a link. */
export function sectionBlocks(lines: string[]): Block[] {
  const texts: string[] = []
  for (const line of lines) {
    const joined = texts.length === 0 ? line : `${texts.at(-1)}\n${line}`
    if (texts.length > 0 && joined.length <= longestSection) texts[texts.length - 1] = joined
    else texts.push(line.length <= longestSection ? line : line.replace(/<[^|>]*\|([^>]*)>/g, '$1').slice(0, longestSection))
  }
  return texts.map(sectionBlock)
}

export function contextBlock(...lines: string[]): Block {
  return { type: 'context', elements: lines.map((text) => ({ type: 'mrkdwn', text, verbatim: true })) }
}

/** One line per source, each source once: `[1] path L10–42 · a1b2c3d`, or its title where it has one. */
export function sourceBlocks(citations: Citation[], now: number): Block[] {
  const distinct = distinctSources(citations)
  const lines = distinct.slice(0, mostSources).map((citation) => toSourceLine(citation, now))
  const more = distinct.length - mostSources
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => contextBlock(line))
}

function toSourceLine(citation: Citation, now: number): string {
  const { n, path, title, changedAt, url } = citation
  if (title) return `${mrkdwnLink(url, `[${n}] ${title.slice(0, 200)}`)}${changedAt ? ` · changed ${toAge(now - Date.parse(changedAt))}` : ''}`
  const lines = citation.startLine === citation.endLine ? `L${citation.startLine}` : `L${citation.startLine}–${citation.endLine}`
  return `${mrkdwnLink(url, `[${n}] ${toPathLabel(path)} ${lines}`)} · ${citation.sha.slice(0, 7)}`
}

/** `repo@sha · indexed 4 min ago`, without a commit where it is of no branch, for what the answer drew from, what else is to be said of it, then what is said of every answer. */
export function footerBlock({ freshness, notice }: Pick<AnswerDone, 'freshness' | 'notice'>, now: number, updated: boolean): Block {
  const states = freshness.slice(0, 3).map((state) => {
    const at = state.branch === null ? '' : `@${state.sha.slice(0, 7)} (${state.branch})`
    return escapeMrkdwn(`${state.repository}${at} · indexed ${toAge(now - Date.parse(state.indexedAt))}`)
  })
  return contextBlock([...states, ...(updated ? ['updated'] : []), ...(notice ? [escapeMrkdwn(notice)] : []), 'AI-generated, check sources'].join('  |  '))
}

/** `updated`: the answer replaced an earlier one. `outdated`: a source of it has changed since. */
type AnswerBlocks = { inboxId: string; now: number; updated: boolean; outdated: boolean; mayCallHelp: boolean }

export function answerBlocks(done: AnswerDone, citations: Citation[], options: AnswerBlocks): Block[] {
  const buttons = buttonsBlock(options.inboxId, { mayCallHelp: done.abstained && options.mayCallHelp, mayRecheck: options.outdated, lens: done.abstained ? null : done.agent })
  return [...sourceBlocks(citations, options.now), footerBlock(done, options.now, options.updated), feedbackBlock(options.inboxId), buttons]
}

function feedbackBlock(inboxId: string): Block {
  const button = (text: string, verdict: string) => ({ text: { type: 'plain_text', text }, accessibility_label: text, value: `${verdict} ${inboxId}` })
  return {
    type: 'context_actions',
    elements: [{ type: 'feedback_buttons', action_id: actions.feedback, positive_button: button('Good answer', 'up'), negative_button: button('Bad answer', 'down') }],
  }
}

function buttonsBlock(inboxId: string, { mayCallHelp, mayRecheck, lens }: { mayCallHelp: boolean; mayRecheck: boolean; lens: string | null }): Block {
  const human = {
    ...button(actions.askHuman, 'Ask a human', inboxId),
    confirm: {
      title: { type: 'plain_text', text: 'Ask a human?' },
      text: { type: 'plain_text', text: 'I will call the people who help here into this thread, and say that you asked.' },
      confirm: { type: 'plain_text', text: 'Call them' },
      deny: { type: 'plain_text', text: 'Not now' },
    },
  }
  return { type: 'actions', elements: [...(mayRecheck ? [button(actions.recheck, 'Re-check', inboxId)] : []), button(actions.why, 'Why?', inboxId), ...(mayCallHelp ? [human] : []), ...(lens === null ? [] : [lensMenu(inboxId, lens)])] }
}

/** The same evidence as another agent tells it. One menu, for a button for each would push «Why?» aside. */
function lensMenu(inboxId: string, agent: string): Block {
  const others = agents.filter(({ name }) => name !== agent)
  return {
    type: 'static_select',
    action_id: actions.lens,
    placeholder: { type: 'plain_text', text: 'Retell for …' },
    options: others.map(({ name, title }) => ({ text: { type: 'plain_text', text: `As ${title}` }, value: `${name} ${inboxId}` })),
  }
}

export function resolveBlock(inboxId: string): Block {
  return { type: 'actions', elements: [button(actions.resolveHelp, 'Mark resolved', inboxId)] }
}

function button(actionId: string, label: string, value: string): Block {
  return { type: 'button', action_id: actionId, text: { type: 'plain_text', text: label }, value }
}

export function retryBlock(inboxId: string): Block {
  return { type: 'actions', elements: [button(actions.retry, 'Retry', inboxId)] }
}

export function rerunBlock(inboxId: string): Block {
  return { type: 'actions', elements: [button(actions.rerun, 'Re-run', inboxId)] }
}

/** What Nura is and three questions it can answer here. */
export function helpBlocks(text: string, questions: string[]): Block[] {
  const tries = questions.slice(0, 3).map((question) => `• ${neutral(question)}`)
  return [markdownBlock(text), ...(tries.length > 0 ? [{ type: 'section', text: { type: 'mrkdwn', text: `*Try one of these*\n${tries.join('\n')}`, verbatim: true } }] : [])]
}

function neutral(text: string): string {
  return escapeMrkdwn(text.slice(0, 300))
}

export function feedbackForm(metadata: string): Record<string, unknown> {
  return {
    type: 'modal',
    callback_id: actions.feedbackForm,
    private_metadata: metadata,
    title: { type: 'plain_text', text: 'What was wrong?' },
    submit: { type: 'plain_text', text: 'Send' },
    close: { type: 'plain_text', text: 'Cancel' },
    blocks: [
      {
        type: 'input',
        block_id: 'reason',
        label: { type: 'plain_text', text: 'The answer' },
        element: {
          type: 'radio_buttons',
          action_id: 'reason',
          options: feedbackReasons.map(({ value, label }) => ({ value, text: { type: 'plain_text', text: label } })),
        },
      },
    ],
  }
}

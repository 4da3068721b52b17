import type { Attachment } from '../platform.ts'

/** Slack's message text as a person reads it: entities decoded, the mention of `botUserId` taken out, links and names written out. */
export function toPlainText(text: string, botUserId: string): string {
  return text
    .replace(/<([^<>]*)>/g, (whole, inside: string) => toReadable(inside, botUserId) ?? whole)
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/[ \t]{2,}/g, ' ')
    .trim()
}

function toReadable(inside: string, botUserId: string): string | null {
  const bar = inside.indexOf('|')
  const [target, label] = bar < 0 ? [inside, ''] : [inside.slice(0, bar), inside.slice(bar + 1)]
  if (target === `@${botUserId}`) return ' '
  if (/^@[UWB]/.test(target)) return label ? `@${label.replace(/^@/, '')}` : target
  if (target.startsWith('#')) return label ? `#${label}` : target
  if (target.startsWith('!')) return label || `@${target.slice(1).split('^')[0]}`
  if (/^(https?|mailto|slack):/.test(target)) return label && label !== target ? `${label} (${target})` : target
  return null
}

/** Ids of the people a message names. */
export function namedUsers(text: string): string[] {
  return [...text.matchAll(/<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>/g)].map((match) => match[1] ?? '')
}

type SlackAttachment = {
  title?: string
  pretext?: string
  text?: string
  fallback?: string
  author_name?: string
  service_name?: string
  fields?: { title?: string; value?: string }[]
  blocks?: unknown[]
  message_blocks?: { message?: { blocks?: unknown[] } }[]
}
type SlackFile = { name?: string; title?: string; mimetype?: string; preview?: string; plain_text?: string; preview_is_truncated?: boolean }
export type WithAttachments = { attachments?: SlackAttachment[]; files?: SlackFile[]; blocks?: unknown[]; text?: string }

/** Most characters of one attachment that are given to an agent. */
const attachmentLimit = 4000

/**
 * What hangs on a message: alerts of other bots, unfurled links, pasted messages, files. A file's content is known only
 * as far as Slack sends a preview along: Nura does not ask for the right to download files.
 */
export function toAttachments(message: WithAttachments, botUserId: string): Attachment[] {
  const cards = (message.attachments ?? []).map((card) => {
    const fields = (card.fields ?? []).map((field) => [field.title, field.value].filter(Boolean).join(': '))
    const lines = [card.pretext, card.text, ...fields, blockText(card.blocks), ...(card.message_blocks ?? []).map((part) => blockText(part.message?.blocks))]
    const text = lines.filter(Boolean).join('\n') || card.fallback || ''
    return { title: card.title ?? card.author_name ?? card.service_name ?? 'attachment', text: cut(toPlainText(text, botUserId)) }
  })
  const files = (message.files ?? []).map((file) => ({ title: file.name ?? file.title ?? 'file', text: cut(file.plain_text ?? file.preview ?? '') }))
  return [...cards, ...files]
}

/** The text inside blocks, for messages that have no text of their own (alerts often come so). */
export function blockText(blocks: unknown): string {
  const found: string[] = []
  visit(blocks, 0)
  return found.join(' ').trim()

  function visit(value: unknown, depth: number): void {
    if (depth > 12 || found.length > 500) return
    if (Array.isArray(value)) return value.forEach((item) => visit(item, depth + 1))
    if (typeof value !== 'object' || value === null) return
    if ('text' in value && typeof value.text === 'string') found.push(value.text)
    for (const [key, inner] of Object.entries(value)) if (typeof inner === 'object' && key !== 'accessory') visit(inner, depth + 1)
  }
}

function cut(text: string): string | null {
  if (text.trim() === '') return null
  return text.length > attachmentLimit ? `${text.slice(0, attachmentLimit)}…` : text
}

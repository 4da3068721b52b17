import { plain } from './prose.ts'

export type Element = Record<string, unknown> & { type: string }

export type Run = { text: string; url?: string | null | undefined; weight?: 'bolder'; subtle?: boolean; color?: 'accent' | 'attention' | 'good' | 'warning' }

/**
 * A paragraph of a card. Its runs are no Markdown: what others wrote can neither link nor mark anything, and the only
 * addresses are those that are given beside the text.
 */
export function paragraph(runs: Run[], { size, ...options }: Record<string, unknown> = {}): Element {
  return { type: 'RichTextBlock', ...options, inlines: runs.map((run) => toTextRun(run, size)) }
}

function toTextRun({ text, url, weight, subtle, color }: Run, size: unknown): Element {
  const action = toLink(url)
  return {
    type: 'TextRun',
    text: /^\s/.test(text) ? ` ${plain(text)}` : plain(text),
    ...(size !== undefined && { size }),
    ...(weight && { weight }),
    ...(subtle && { isSubtle: true }),
    ...(color && { color }),
    ...(action && { selectAction: action, ...(!color && { color: 'accent' }) }),
  }
}

function toLink(url: string | null | undefined): Element | null {
  return url && /^https?:\/\//.test(url) ? { type: 'Action.OpenUrl', url } : null
}

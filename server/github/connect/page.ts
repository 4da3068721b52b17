import { escapeHtml } from '../../escape-html.ts'

/** What a browser is shown when it comes back from GitHub. Text is plain; the page escapes it. */
export type Page = {
  status: number
  title: string
  paragraphs: string[]
  /** One button that sends `address` as a POST. */
  button?: { label: string; address: string }
}

const style = `
  body { font: 17px/1.55 system-ui, sans-serif; max-width: 36rem; margin: 12vh auto; padding: 0 1.25rem; color: #1a1a1a; background: #fff }
  h1 { font-size: 1.4rem; line-height: 1.3 } p { overflow-wrap: anywhere }
  button { font: inherit; font-weight: 600; padding: .5rem 1.1rem; border: 0; border-radius: 6px; color: #fff; background: #1f6feb; cursor: pointer }
  @media (prefers-color-scheme: dark) { body { color: #e4e4e7; background: #18181b } }`

/** The address that the browser came with holds a state, so nothing of it goes on to anyone, and no other site may frame it. */
export const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
}

/** One readable page without script, font or any other file. */
export function toHtml({ title, paragraphs, button }: Page): string {
  const form = button ? `<form method="post" action="${escapeHtml(button.address)}"><button>${escapeHtml(button.label)}</button></form>` : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>${escapeHtml(title)} · Nura</title><style>${style}</style></head><body>
<h1>${escapeHtml(title)}</h1>
${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join('\n')}
${form}
</body></html>`
}

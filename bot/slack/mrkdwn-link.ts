import { escapeMrkdwn } from './prose.ts'

/** A link in `mrkdwn`, or its label alone where there is no web address to go to. */
export function mrkdwnLink(url: string | null | undefined, label: string): string {
  const text = escapeMrkdwn(label.replace(/\s+/g, ' '))
  return isWebAddress(url) ? `<${url.replace(/[<>|\s]/g, encodeURIComponent)}|${text.replace(/\|/g, '¦')}>` : text
}

export function isWebAddress(url: string | null | undefined): url is string {
  return typeof url === 'string' && /^https?:\/\/[^\s/]/i.test(url)
}

import { hasOpenCode } from './code-spans.ts'

/**
 * How much of `text` may be shown while more is coming: up to the last whole line, or the last whole sentence outside
 * code. The rest is held back, so that no mark, link or secret is ever shown by halves.
 */
export function settledLength(text: string, insideFence: boolean): number {
  const line = text.lastIndexOf('\n') + 1
  if (insideFence || /^ {0,3}(`{3}|~{3})/.test(text.slice(line))) return line
  const tail = text.slice(line)
  const sentence = [...tail.matchAll(/[.!?]["')\]]?\s+(?=\S)/g)].map((match) => match.index + match[0].length).findLast((end) => isOutsideCode(tail.slice(0, end)))
  return line + (sentence ?? 0)
}

function isOutsideCode(text: string): boolean {
  return !hasOpenCode(text) && !/\[[^\]]*$/.test(text)
}

import type { Citation } from '#server/answer-part.ts'
import { turnLineByCode } from '../code-spans.ts'
import { afterLine } from '../fences.ts'
import type { Fence } from '../fences.ts'

/** What Slack would turn into a ping or a channel link. */
const pings = /<(?=!(?:channel|here|everyone|group|subteam\b|date\b)|@[UWB][A-Z0-9]|#[CGD][A-Z0-9])/g

/** Makes a text harmless in a Slack `mrkdwn` field. */
export function escapeMrkdwn(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

export function neutralisePings(text: string): string {
  return text.replace(pings, '&lt;')
}

/**
 * Turns the Markdown of an answer into Slack's, piece by piece: `[n]` becomes a link to the source it cites, a number
 * without a source is dropped, and every other link, image and address loses its target. Code is left as it is.
 *
 * Each piece must end where `settledLength` allows.
 */
export function createProse(citations: ReadonlyMap<number, Citation>): { turn(piece: string): string; readonly cited: ReadonlySet<number> } {
  const cited = new Set<number>()
  let fence: Fence | null = null
  let lineStart = true
  return {
    cited,
    turn(piece) {
      if (piece === '') return ''
      const lines = piece.split('\n')
      const turned = lines.map((line, index) => {
        const wasOpen = fence
        if (index > 0 || lineStart) fence = afterLine(line, fence)
        return wasOpen || fence ? neutralisePings(line) : turnLine(line)
      })
      lineStart = piece.endsWith('\n')
      return turned.join('\n')
    },
  }

  function turnLine(line: string): string {
    return turnLineByCode(line, { text: (text) => neutralisePings(turnText(text)), code: neutralisePings })
  }

  function turnText(text: string): string {
    const plain = text
      .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, (_, label: string) => (/^\d+$/.test(label) ? `[${label}]` : label))
      .replace(/\[([^\]\d][^\]]*)\]\[[^\]]*\]/g, '$1')
      .replace(/<?\b(?:https?|ftp|mailto|data|javascript):(?:\/\/)?([^\s<>|)]*)(?:\|[^>]*)?>?/gi, (_, rest: string) => (rest ? `\`${rest.replace(/`/g, '')}\`` : ''))
    return plain.replace(/\[(\d{1,3})\]/g, (_, digits: string) => {
      const citation = citations.get(Number(digits))
      if (!citation) return ''
      cited.add(citation.n)
      return citation.url ? `[[${digits}]](${citation.url})` : `[${digits}]`
    })
  }
}

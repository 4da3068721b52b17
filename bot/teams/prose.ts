import type { Citation } from '#server/answer-part.ts'
import { turnLineByCode, unseen } from '../code-spans.ts'
import { afterLine } from '../fences.ts'
import type { Fence } from '../fences.ts'
import { settledLength } from '../settled-length.ts'

/** Markup by which a message names somebody. It does so only with an entity beside it; no text may even look like it. */
const mentions = /<(?=\/?at[\s>])/gi
/** What makes an address of what follows: two slashes wherever they stand, other schemes as a word of their own. */
const schemes = /(?:https?|ftp):\/\/|\b(?:https?|mailto|data|javascript|msteams|tel|sip):(?:\/\/|(?=\S))/gi
/** With the rest of it, which is shown as code; what begins with `www.` is one without a scheme. */
const addresses = new RegExp(`<?(?:${schemes.source}|(?<![\\p{L}\\p{N}])(?=www\\.))([^\\s<>|)]*)(?:\\|[^>]*)?>?`, 'giu')
/** Readers of Markdown make a link of what looks like one; what is code already stays as it is. */
const mails = /`[^`]*`|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

/**
 * Text of others for where Teams reads no Markdown: runs of a card, labels of buttons, names of sources. What Teams might
 * make of it by itself, an address into a link or `{{…}}` into a date, it cannot.
 */
export function plain(text: string, most = 300): string {
  const short = withoutControls(text)
    .replace(/\s+/g, ' ')
    .replace(schemes, '')
    .replace(/\bwww\./gi, `www${unseen}.`)
    .replace(mentions, `<${unseen}`)
    .replace(/\{\{/g, `{${unseen}{`)
    .trim()
  return short.length > most ? `${short.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : short
}

/**
 * Turns the Markdown of an answer into what Teams shows, piece by piece: `[n]` stays where its source is known and goes
 * where it is not, for Teams makes the number a reference by itself; every link, image and address loses its target, and
 * HTML its power. Tables, which Teams' text has none of, become lists. Code is left as it is.
 *
 * Each piece must end where `settledTeamsLength` allows.
 */
export function createTeamsProse(citations: ReadonlyMap<number, Citation>): { turn(piece: string): string; readonly cited: ReadonlySet<number> } {
  const cited = new Set<number>()
  let fence: Fence | null = null
  let lineStart = true
  return {
    cited,
    turn(piece) {
      if (piece === '') return ''
      const turned: string[] = []
      for (const [index, line] of withoutControls(piece).split('\n').entries()) {
        const wasOpen = fence
        if (index > 0 || lineStart) fence = afterLine(line, fence)
        if (wasOpen || fence) turned.push(line.replace(mentions, `<${unseen}`))
        else if (!isTableRule(line)) turned.push(turnLine(isTableRow(line) ? toListItem(line) : line))
      }
      lineStart = piece.endsWith('\n')
      return turned.join('\n')
    },
  }

  function turnLine(line: string): string {
    return turnLineByCode(line, { text: turnText, code: (code) => code.replace(mentions, `<${unseen}`) })
  }

  function turnText(text: string): string {
    return text
      .replace(/^([\s>]*)\[([^\]\d][^\]]*)\]:\s*\S+/, '$1$2')
      .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, (_, name: string) => (/^\d+$/.test(name) ? `[${name}]` : name))
      .replace(/\[([^\]\d][^\]]*)\]\[[^\]]*\]/g, '$1')
      .replace(addresses, (_, rest: string) => (rest ? `\`${rest.replace(/`/g, '').replace(/:\/\//g, ':')}\`` : ''))
      .replace(mails, (found) => (found.startsWith('`') ? found : `\`${found}\``))
      .replace(/</g, '&lt;')
      // What is left of a link inside a link, or what would define one.
      .replace(/\](?=[(:])/g, `]${unseen}`)
      .replace(/\[(\d{1,3})\]/g, (_, digits: string) => {
        if (!citations.has(Number(digits))) return ''
        cited.add(Number(digits))
        return `[${digits}]`
      })
  }
}

/** As `settledLength`, and a row of a table only whole. */
export function settledTeamsLength(text: string, insideFence: boolean): number {
  const line = text.lastIndexOf('\n') + 1
  return !insideFence && isTableRow(text.slice(line)) ? line : settledLength(text, insideFence)
}

function isTableRow(line: string): boolean {
  return /^ {0,3}\|/.test(line)
}

function isTableRule(line: string): boolean {
  return /^ {0,3}\|[\s:|-]+$/.test(line) && line.includes('-')
}

function toListItem(row: string): string {
  const cells = row.trim().replace(/^\||\|$/g, '').split('|').map((cell) => cell.trim())
  return `- ${cells.filter((cell) => cell !== '').join(' · ')}`
}

/** What no person wrote to be read: controls, and marks that turn the direction of a line around. */
function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
}

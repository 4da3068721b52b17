/** What stands behind a claim of a language model that names no source. */
export const uncitedMark = ' *(no source given)*'

/**
 * Marks each paragraph or list entry whose last sentences claim something and cite nothing: a citation stands for what leads
 * up to it, not for what follows. Text is never held back: the mark comes where the line ends.
 */
export function createUncitedMarker(): { push(piece: string): string; end(): string; /** How many were marked. */ marked(): number } {
  let marked = 0
  let line = ''
  let fence: string | null = null

  function endLine(): string {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    const prose = line.replace(/`[^`]*`/g, 'name').trim()
    line = ''
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null
      return ''
    }
    if (mark) fence = mark
    const uncited = prose.split(/\[\d{1,4}\]/).at(-1)!.trim()
    const claims = !mark && uncited.split(/\s+/).length >= 5 && !/^#{1,6}\s|[:?]$/.test(prose)
    if (claims) marked++
    return claims ? uncitedMark : ''
  }

  return {
    push(piece) {
      let out = ''
      for (const part of piece.split(/(\n)/)) {
        if (part === '\n') out += `${endLine()}\n`
        else {
          line += part
          out += part
        }
      }
      return out
    },
    end: () => (line ? endLine() : ''),
    marked: () => marked,
  }
}

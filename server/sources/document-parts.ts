/** Bytes of text that are indexed at once: a long document is written in parts, between which questions are answered. */
const partBytes = 40 * 1024

/** How many parts a text of so many bytes is indexed in. */
export function countParts(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / partBytes))
}

/** What a part is called; a document of one part has its own name. */
export function toPartName(name: string, part: number, parts: number): string {
  return parts === 1 ? name : `${name} (part ${part} of ${parts})`
}

/** Cuts a text into so many parts of about the same length, which together are the text: before a heading where one is near, else between lines. */
export function splitParts(text: string, parts: number): string[] {
  const pieces: string[] = []
  let start = 0
  for (let part = 1; part < parts; part++) {
    const wanted = Math.max(start, Math.round((text.length * part) / parts))
    const reach = Math.round(text.length / parts / 2)
    // From the end of the line before, as the place itself may be a heading's.
    const from = Math.max(start, wanted - 1)
    const near = text.slice(from, from + reach).search(/\n#{1,6} /)
    const line = text.indexOf('\n', from)
    const end = near !== -1 ? from + near + 1 : line === -1 ? text.length : line + 1
    pieces.push(text.slice(start, end))
    start = end
  }
  return [...pieces, text.slice(start)]
}

/** Most UTF-8 bytes of a text that are embedded, and how much less is tried when a model refuses a request. */
export const embeddedBytes = [8_000, 2_000, 400] as const

/**
 * A text as every embedding model takes it: well-formed, without NUL, not empty, and so long at most.
 *
 * Models that we name read 8,192 tokens, and no tokenizer makes more tokens than a text has bytes, so that a text cut to that many
 * bytes always fits; one of a model that reads less is refused, and cut further.
 */
export function toEmbeddable(text: string, mostBytes: number): string {
  // A character has a byte at least: what lies beyond is not looked at.
  const clean = text.slice(0, mostBytes).toWellFormed().replaceAll('\0', ' ')
  const bytes = Buffer.from(clean)
  const cut = bytes.length <= mostBytes ? clean : bytes.subarray(0, startOfCharacter(bytes, mostBytes)).toString('utf8')
  return /\S/u.test(cut) ? cut : '.'
}

/** Where the character begins that the byte at `at` belongs to. */
function startOfCharacter(bytes: Buffer, at: number): number {
  let start = at
  while (start > 0 && (bytes[start]! & 0xc0) === 0x80) start--
  return start
}

/** Items in order, in runs that keep to what one request may hold; an item that is too long alone has a run of its own. */
export function toRequests<Item>(items: readonly Item[], most: { texts: number; characters: number }, textOf: (item: Item) => string): Item[][] {
  const requests: Item[][] = []
  let characters = 0
  for (const item of items) {
    const { length } = textOf(item)
    const last = requests.at(-1)
    if (last && last.length < most.texts && characters + length <= most.characters) {
      last.push(item)
      characters += length
    } else {
      requests.push([item])
      characters = length
    }
  }
  return requests
}

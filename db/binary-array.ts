/** Types that have the same number in every database. */
export const textType = 25
export const tsvectorType = 3614

/**
 * A column of cells as an array parameter in PostgreSQL's binary form: neither side writes out nor reads back the digits and quotes of
 * megabytes. A cell is the binary form of one value; `type` is the number of the cells' type, which an extension's has from its database.
 */
export function toBinaryArray(type: number, cells: readonly (Buffer | null)[]): Buffer {
  const bytes = Buffer.allocUnsafe(cells.reduce((sum, cell) => sum + 4 + (cell?.length ?? 0), 20))
  let at = 0
  const write = (value: number) => void (at = bytes.writeUInt32BE(value, at))
  const [dimensions, first] = [1, 1]
  for (const value of [dimensions, cells.includes(null) ? 1 : 0, type, cells.length, first]) write(value)
  for (const cell of cells) {
    write(cell?.length ?? noLength)
    if (cell) at += cell.copy(bytes, at)
  }
  return bytes
}

const noLength = 0xffffffff

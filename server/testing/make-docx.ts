import { Document, HeadingLevel, Packer, Paragraph, Table, TableCell, TableRow } from 'docx'

/** A Word document of headings (`# …`, `## …`), paragraphs, and rows of a table (`a | b`). */
export function makeDocx(lines: readonly string[]): Promise<Buffer> {
  const children = lines.map((line) => {
    const [, marks, heading] = /^(#{1,2}) (.*)$/.exec(line) ?? []
    if (marks) return new Paragraph({ text: heading ?? '', heading: marks.length === 1 ? HeadingLevel.HEADING_1 : HeadingLevel.HEADING_2 })
    if (!line.includes(' | ')) return new Paragraph(line)
    return new Table({ rows: [new TableRow({ children: line.split(' | ').map((cell) => new TableCell({ children: [new Paragraph(cell)] })) })] })
  })
  return Packer.toBuffer(new Document({ sections: [{ children }] }))
}

import { PDFDocument, StandardFonts } from 'pdf-lib'

/** A PDF with a page of these lines for each entry; an entry without lines is a page without text. */
export async function makePdf(pages: readonly string[][]): Promise<Buffer> {
  const pdf = await PDFDocument.create()
  const font = await pdf.embedFont(StandardFonts.Helvetica)
  for (const lines of pages) {
    const page = pdf.addPage([595, 842])
    for (const [at, line] of lines.entries()) page.drawText(line, { x: 40, y: 800 - at * 16, size: 10, font })
  }
  return Buffer.from(await pdf.save())
}

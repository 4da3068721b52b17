import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { PDFDocument, PDFHexString, PDFName } from 'pdf-lib'
import { describe, expect, it } from 'vitest'
import { makeDocx } from '../testing/make-docx.ts'
import { makePdf } from '../testing/make-pdf.ts'
import { makeZip } from '../testing/make-zip.ts'
import { extractInThread } from './extract-in-thread.ts'
import { extract } from './extract.ts'
import type { DocumentKind } from './kind.ts'
import { toDocumentKind } from './kind.ts'

const read = (kind: DocumentKind, bytes: Buffer | string, mediaType = '') => extract({ kind, mediaType, bytes: Buffer.from(bytes) })
const unreadable = (message: RegExp) => expect.objectContaining({ code: 'unreadable-document', message: expect.stringMatching(message) as string }) as Error

describe('PDF', () => {
  it('gives each page its heading, and tells which pages have no text', async () => {
    const { text, pages, faults } = await read('pdf', await makePdf([['Refunds are paid in ten days.', 'Second line.'], [], ['Last page.']]))
    expect(text).toBe('## Page 1\n\nRefunds are paid in ten days.\nSecond line.\n\n## Page 3\n\nLast page.')
    expect(pages).toBe(3)
    expect(faults).toEqual([{ page: 2, reason: expect.stringMatching(/no text/) as string }])
  })

  it('reads a thousand pages', async () => {
    const { text, pages, faults } = await read('pdf', await makePdf(Array.from({ length: 1_000 }, (_, at) => [`This is page number ${at + 1}.`])))
    expect({ pages, faults }).toEqual({ pages: 1_000, faults: [] })
    expect(text).toContain('## Page 1000\n\nThis is page number 1000.')
  })

  it('says of a scan page by page that it has no text, and what to do', async () => {
    const error = await read('pdf', await makePdf([[], []])).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unreadable-document', pages: 2, faults: [{ page: 1 }, { page: 2 }] })
    expect((error as Error).message).toMatch(/None of its 2 pages holds text.*OCR/)
  })

  it('says that one is encrypted', async () => {
    await expect(read('pdf', await encrypted())).rejects.toThrow(unreadable(/encrypted\. Save it without a password/))
  })

  it('says that one is damaged, wherever it is cut off', async () => {
    const whole = await makePdf([['One line.']])
    for (const end of [20, 200, whole.length >> 1]) await expect(read('pdf', whole.subarray(0, end))).rejects.toThrow(unreadable(/damaged/))
  })

  it('costs one damaged page that page alone', async () => {
    const pdf = await PDFDocument.load(await makePdf([['First.'], ['Second.'], ['Third.']]))
    pdf.getPage(1).node.set(PDFName.of('Contents'), pdf.context.register(pdf.context.stream(Buffer.from('not deflated'), { Filter: 'NoSuchFilter' })))
    const { text, faults } = await read('pdf', Buffer.from(await pdf.save()))
    expect(text).toMatch(/Page 1\n\nFirst\.[^]*Page 3\n\nThird\./)
    expect(faults).toMatchObject([{ page: 2 }])
  })
})

describe('Word', () => {
  it('keeps headings, paragraphs and rows', async () => {
    const { text } = await read('docx', await makeDocx(['# Travel policy', 'Book two weeks ahead.', '## Hotels', 'City | Limit']))
    expect(text).toBe('# Travel policy\n\nBook two weeks ahead.\n\n## Hotels\n\nCity | Limit')
  })

  const word = (bytes: Buffer, claims?: number) => makeZip([{ name: '[Content_Types].xml', bytes: Buffer.from('<x/>') }, { name: 'word/document.xml', bytes, ...(claims === undefined ? {} : { claims }) }])

  it('does not open what unpacks to too much, be it said or not', async () => {
    const bomb = Buffer.alloc(220 * 1024 * 1024, 0x20)
    await expect(read('docx', word(bomb))).rejects.toThrow(unreadable(/unpacks to more than 200 MB/))
    await expect(read('docx', word(bomb, 1_000))).rejects.toThrow(unreadable(/damaged/))
    const parts = Array.from({ length: 5_001 }, (_, at) => ({ name: `word/media/${at}`, bytes: Buffer.from('x') }))
    await expect(read('docx', makeZip(parts))).rejects.toThrow(unreadable(/5000 parts/))
  })

  it('says that one is damaged or no Word document', async () => {
    const whole = await makeDocx(['Text.'])
    await expect(read('docx', whole.subarray(0, whole.length - 100))).rejects.toThrow(unreadable(/damaged/))
    await expect(read('docx', makeZip([{ name: 'sheet.xml', bytes: Buffer.from('<x/>') }]))).rejects.toThrow(unreadable(/no Word document/))
    await expect(read('docx', word(Buffer.from('<w:document')))).rejects.toThrow(unreadable(/damaged|no text/))
  })
})

describe('HTML', () => {
  it('keeps what can be seen', async () => {
    const page = '<h1>Prices</h1><p>From <b>May</b> on &amp; later</p><ul><li>one<li>two</ul><table><tr><th>Plan<th>Price</tr><tr><td>Small<td>9</tr></table><pre>a\n  b</pre><a href="https://elsewhere.example/x">more</a>'
    expect((await read('html', page)).text).toBe('# Prices\n\nFrom May on & later\n\n- one\n- two\n\nPlan | Price\nSmall | 9\n\n```\na\n  b\n```\n\nmore')
  })

  it.each([
    '<script>canary()</script>', '<style>.canary{}</style>', '<!-- canary -->', '<template><p>canary</p></template>', '<noscript>canary</noscript>', '<p hidden>canary</p>', '<p style="DISPLAY : none">canary <b>canary</b></p>',
    '<p style="color:red;visibility:hidden">canary</p>', '<p style="font-size:0px">canary</p>', '<p style="opacity:0">canary</p>', '<p aria-hidden="true">canary</p>', '<input type=hidden value=canary>', '<img alt=x src="https://x.example/canary">',
    '<a href="javascript:canary()">link</a>', '<p title="canary" onclick="canary()">x</p>', '<iframe srcdoc="<p>canary</p>"></iframe>', '<style>.x, .y { color: red; display: none }</style><p class="b y">canary</p>', '<svg><text>canary</text></svg>',
    '<head><title>canary</title></head>', '<style>#gone{display:none!important}</style><div id=gone>canary</div>',
  ])('nothing of %s is left', async (hidden) => {
    const { text } = await read('html', `<p>before</p>${hidden}<p>after</p>`)
    expect(text).toMatch(/^before[^]*after$/)
    expect(text).not.toContain('canary')
  })

  it('reads the encoding that a page declares', async () => {
    const page = Buffer.concat([Buffer.from('<meta charset="windows-1251"><p>'), Buffer.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]), Buffer.from('</p>')])
    expect((await read('html', page)).text).toBe('Привет')
    expect((await read('html', '<p>déjà</p>', 'text/html; charset=iso-8859-1')).text).toBe('déjà')
  })

  it('ends with text or a reason, whatever the page', async () => {
    const piece = fc.oneof(fc.constantFrom('<p>', '</p>', '<script>', '</script>', '<style>', '<table><tr><td>', '</td>', '<!--', '-->', '<pre>', '&#x0;', '&lt;', '<ul><li>', '<h1>', '<', '>', '"', '<a href='), fc.string({ maxLength: 8 }))
    await fc.assert(fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
      const found = await read('html', pieces.join('')).catch((error: { code?: string }) => error)
      expect('text' in found || found.code === 'unreadable-document').toBe(true)
    }), { numRuns: 300 })
    const deep = await read('html', `${'<div>'.repeat(20_000)}deep${'</div>'.repeat(20_000)}<p>flat</p>`)
    expect(deep.text).toContain('flat')
  })
})

describe('text', () => {
  it.each([
    ['UTF-8 with a mark', Buffer.from('\ufeffGrüße\r\nzwei', 'utf8')],
    ['UTF-16', Buffer.from('\ufeffGrüße\r\nzwei', 'utf16le')],
    ['Windows-1252', Buffer.from('Grüße\rzwei', 'latin1')],
  ])('in %s', async (_, bytes) => expect((await read('text', bytes)).text).toBe('Grüße\nzwei'))

  it('without any is refused', async () => {
    await expect(read('markdown', ' \n\t')).rejects.toThrow(unreadable(/holds no text/))
  })

  it('loses its secrets', async () => {
    const token = `ghp_${'a1B2'.repeat(9)}`
    expect((await read('markdown', `# Access\n\nThe token is ${token}.`)).text).not.toContain(token)
  })
})

describe('the kind of a document', () => {
  const kindOf = (name: string, bytes: Buffer | string, mediaType = '') => toDocumentKind({ name, mediaType, bytes: Buffer.from(bytes) })

  it('is told by its bytes before its name', () => {
    expect(kindOf('Release notes.txt', '%PDF-1.7')).toBe('pdf')
    expect(kindOf('notes', 'text', 'text/markdown; charset=utf-8')).toBe('markdown')
    expect(kindOf('notes.HTM', '<p>')).toBe('html')
  })

  it.each([
    ['x.pdf', 'no pdf', 'unsupported-media-type', /called a PDF/],
    ['x.docx', 'no docx', 'unsupported-media-type', /called a Word document/],
    ['x.doc', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'unsupported-media-type', /protected by a password or in the old format/],
    ['x.zip', Buffer.from('504b0304', 'hex'), 'unsupported-media-type', /archive/],
    ['x.exe', 'MZ', 'unsupported-media-type', /cannot read "x.exe"/],
    ['x.txt', Buffer.from([65, 0, 66]), 'unsupported-media-type', /binary/],
    ['x.md', '', 'empty-document', /empty/],
  ] as const)('%s is refused with what to send', (name, bytes, code, message) => {
    expect(() => kindOf(name, bytes as string)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }))
  })
})

describe('in a thread', () => {
  it('reads as it does anywhere, and tells what cannot be read', async () => {
    const bytes = await makePdf([['In a thread.'], []])
    expect(await extractInThread({ kind: 'pdf', mediaType: '', bytes })).toEqual(await read('pdf', bytes))
    await expect(extractInThread({ kind: 'pdf', mediaType: '', bytes: await makePdf([[]]) })).rejects.toMatchObject({ code: 'unreadable-document', pages: 1, faults: [{ page: 1 }] })
  })

  it('is ended when it takes too much memory, in or outside its heap', async () => {
    const pdf = await PDFDocument.create()
    const stream = pdf.context.stream(deflateSync(Buffer.alloc(400_000_000, 0x20)), { Filter: 'FlateDecode' })
    pdf.addPage().node.set(PDFName.of('Contents'), pdf.context.register(stream))
    const bytes = Buffer.from(await pdf.save())
    expect(bytes.length).toBeLessThan(1_000_000)
    await expect(extractInThread({ kind: 'pdf', mediaType: '', bytes }, { limits: { timeoutMs: 60_000, maxMemoryMb: 128 } })).rejects.toThrow(unreadable(/more memory/))
  })

  it('is ended when it takes too long, and when nobody waits any more', async () => {
    const bytes = await makePdf(Array.from({ length: 50 }, () => ['A line.']))
    await expect(extractInThread({ kind: 'pdf', mediaType: '', bytes }, { limits: { timeoutMs: 1, maxMemoryMb: 512 } })).rejects.toThrow(unreadable(/longer than/))
    const reason = new Error('stopping')
    const stop = new AbortController()
    const reading = extractInThread({ kind: 'pdf', mediaType: '', bytes }, { signal: stop.signal })
    stop.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })
})

/** One page under a password that nobody has. */
async function encrypted(): Promise<Buffer> {
  const pdf = await PDFDocument.load(await makePdf([['Hidden.']]))
  const filled = (byte: string) => PDFHexString.of(byte.repeat(32))
  pdf.context.trailerInfo.ID = pdf.context.obj([filled('10'), filled('10')])
  pdf.context.trailerInfo.Encrypt = pdf.context.register(pdf.context.obj({ Filter: 'Standard', V: 1, R: 2, P: -4, O: filled('41'), U: filled('42') }))
  return Buffer.from(await pdf.save({ useObjectStreams: false }))
}

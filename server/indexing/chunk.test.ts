import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkCap, chunkFile, toChunkKey, toEmbeddedText } from './chunk.ts'
import type { Chunk } from './chunk.ts'

const weigh = (text: string) => text.replace(/\s/g, '').length

function expectWhole(text: string, chunks: Chunk[]): void {
  expect(chunks.map(({ content }) => content).join('')).toBe(text)
  const lines = text.split(/(?<=\n)/)
  chunks.forEach((chunk, index) => {
    expect(chunk.ordinal).toBe(index)
    expect(weigh(chunk.content)).toBeLessThanOrEqual(chunkCap)
    const own = lines.slice(chunk.startLine - 1, chunk.endLine).join('')
    // A chunk is exactly its lines, or a part of the one line that is too long.
    if (chunk.content !== own) expect([chunk.endLine, own.includes(chunk.content)]).toEqual([chunk.startLine, true])
  })
}

const method = (name: string, lines: number) => `  ${name}(input) {\n${`    this.log.write(input, '${name}')\n`.repeat(lines)}  }\n\n`

const fixtures: Record<string, string> = {
  'arrow.ts': Array.from({ length: 40 }, (_, at) => `export const handler${at} = async (event: Event) => {\n  await store.save(event, ${at})\n}\n`).join('\n'),
  'class.ts': `export class Server {\n${Array.from({ length: 60 }, (_, at) => method(`method${at}`, 4)).join('')}}\n`,
  'long-method.js': `class A {\n${method('run', 200)}}\n`,
  'comment.py': `"""Module."""\n\n# ${'A long comment. '.repeat(330)}\n${'# And more of it in lines.\n'.repeat(220)}def f():\n    return 1\n`,
  'broken.ts': `export function open( {{{ ]]\n${'const x = = 1 <<< \n'.repeat(80)}`,
  'crlf.go': 'package a\r\n\r\n// Doc\r\nfunc A() {\r\n\treturn\r\n}\r\n'.repeat(60),
  'bom.rs': '\ufefffn main() {}\n',
  'no-newline.java': 'class A { int a; }',
  'emoji.rb': `# 🦊 ${'🦊🎉'.repeat(2000)}\nputs "日本語"\n`,
  'one-line.ts': `export const table = [${Array.from({ length: 900 }, (_, at) => `'entry-${at}'`).join(', ')}]\n`,
  'spaces.cs': '\n\n   \n\t\nclass A {}\n\n\n',
  'blank.php': '\n \n\n',
  'empty.cpp': '',
  'lone-cr.c': 'int a;\rint b;\rint c;\n',
  'config.yaml': Array.from({ length: 120 }, (_, at) => `service${at}:\n  image: shop/${at}\n  ports:\n    - ${at}\n`).join(''),
  'data.json': JSON.stringify(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`key${at}`, { value: at }])), null, 2),
  'guide.md': Array.from({ length: 30 }, (_, at) => `## Step ${at}\n\nDo it.\n\n\`\`\`sh\n# not a heading\nrun ${at}\n\`\`\`\n\n`).join(''),
  'open-fence.md': '# A\n\n```\n# never closed\n',
  'guide.rst': 'Title\n=====\n\nText.\n\nPart\n----\n\n.. code-block:: python\n\n    # Not\n    # ===\n    run()\n\nMore.\n',
  'notes.txt': `${'A paragraph of plain words that goes on.\n'.repeat(3)}\n`.repeat(40),
  'Makefile': 'all:\n\techo all\n\ntest: all\n\techo test\n',
  'no-extension': 'anything\n'.repeat(400),
}

describe('chunks are the file', () => {
  test.each(Object.entries(fixtures))('%s', async (path, text) => {
    const first = await chunkFile(path, text)
    expectWhole(text, first.chunks)
    expect(await chunkFile(path, text)).toEqual(first)
  })

  test('whatever the text', async () => {
    const piece = fc.oneof(
      fc.constantFrom('function f() {', '}', '\n', '\r\n', '\n\n', '  ', '# Title', '```', '/* ', ' */', 'class A:', '"""', '🦊', '\ufeff', '\u2028', '\t', 'x'.repeat(700), '====', '- a'),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
    )
    const path = fc.constantFrom('a.ts', 'a.py', 'a.go', 'a.md', 'a.rst', 'a.yaml', 'a.txt', 'a')
    await fc.assert(
      fc.asyncProperty(path, fc.array(piece, { maxLength: 60 }), async (at, pieces) => {
        const text = pieces.join('')
        const { chunks } = await chunkFile(at, text)
        expect(chunks.map(({ content }) => content).join('')).toBe(text)
        expectWhole(text, chunks)
      }),
    )
  })
})

describe('where chunks are cut', () => {
  test('a declaration keeps its comment and its decorators', async () => {
    const block = (at: number) => `/**\n * Says ${at}.\n */\n@route('/${at}')\nexport class C${at} {\n${'  run() {\n    return work(1)\n  }\n'.repeat(8)}}\n\n`
    const { chunks } = await chunkFile('a.ts', Array.from({ length: 20 }, (_, at) => block(at)).join(''))
    expect(chunks.length).toBeGreaterThan(3)
    for (const { content } of chunks) expect(content.startsWith('/**\n * Says')).toBe(true)
  })

  test('scope names what encloses the whole chunk', async () => {
    const { chunks } = await chunkFile('a.ts', fixtures['long-method.js']!)
    expect(chunks.length).toBeGreaterThan(3)
    expect(chunks.map(({ scope }) => scope)).toEqual([['A'], ...chunks.slice(1).map(() => ['A', 'run'])])
    const go = await chunkFile('a.go', `package a\n\nfunc (s *Server) Run() {\n${'\tworkWithAllThatThereIsToDo(1)\n'.repeat(90)}}\n`)
    expect(go.chunks.at(-1)!.scope).toEqual(['Server', 'Run'])
  })

  test('scope of a document is its path of headings', async () => {
    const section = (title: string) => `### ${title}\n\n${'Words about it in a row. '.repeat(40)}\n\n`
    const { chunks } = await chunkFile('a.md', `# Shop\n\n## Cart\n\n${section('Add')}${section('Remove')}`)
    expect(chunks.find(({ content }) => content.includes('### Remove'))!.scope).toEqual(['Shop', 'Cart', 'Remove'])
  })

  test('a fence stays whole', async () => {
    const fence = `\`\`\`ts\n${'call()\n\n'.repeat(60)}\`\`\`\n`
    const { chunks } = await chunkFile('a.md', `# A\n\n${'Words. '.repeat(150)}\n\n${fence}\n${'More words. '.repeat(100)}\n`)
    expect(chunks.some(({ content }) => content.includes(fence))).toBe(true)
  })

  test('what is said of the chunker', async () => {
    const chunkers = await Promise.all(['a.ts', 'a.md', 'a.yaml', 'a'].map(async (path) => (await chunkFile(path, 'a: 1\n')).chunks[0]!.metadata))
    expect(chunkers).toEqual([{ chunker: 'code' }, { chunker: 'markdown' }, { chunker: 'text' }, { chunker: 'text' }])
  })
})

test('what a grammar makes nothing of is cut as text, and says so', async () => {
  const text = '[\n'.repeat(20_000)
  const { chunks, symbols } = await chunkFile('a.ts', text)
  expectWhole(text, chunks)
  expect(symbols).toEqual([])
  expect(chunks[0]!.metadata).toEqual({ chunker: 'text', fallback: 'no-tree' })
})

test('T35: comments that begin and never end are cut as text, in a few readings', async () => {
  const text = '\n/*\t'.repeat(60_000)
  const { chunks } = await chunkFile('a.ts', text)
  expectWhole(text, chunks)
  expect(chunks[0]!.metadata).toEqual({ chunker: 'text', fallback: 'no-tree' })
})

test('a comment of one long line is cut off from what leads it', async () => {
  const text = `package odd\n\n/*\n${'It is said in a long comment. '.repeat(200)}\n*/\nfunc Odd() {}\n`
  expectWhole(text, (await chunkFile('comment.go', text)).chunks)
})

describe('what an edit costs', () => {
  const keysOf = async (path: string, text: string) => (await chunkFile(path, text)).chunks.map((chunk) => toChunkKey('lexical:default', toEmbeddedText(chunk)))
  const functions = Array.from({ length: 180 }, (_, at) => `export function step${at}(input: Input): Output {\n${`  const part${at} = read(input, ${at})\n`.repeat(1 + (at % 9))}  return part${at}\n}\n`)
  const file = functions.join('\n')

  test.each([3, 60, 111, 179])('function %i of a 1,500-line file: at most 3 new chunks', async (edited) => {
    const before = new Set(await keysOf('a.ts', file))
    const changed = functions.with(edited, functions[edited]!.replace('return', 'audit(input)\n  return')).join('\n')
    const fresh = (await keysOf('a.ts', changed)).filter((key) => !before.has(key))
    expect(fresh.length).toBeGreaterThan(0)
    expect(fresh.length).toBeLessThanOrEqual(3)
  })

  test('lines that only shift: none of the chunks below is new', async () => {
    const before = new Set(await keysOf('a.ts', file))
    const shifted = await keysOf('a.ts', `${functions[0]!.replace('{', '{\n')}\n${functions.slice(1).join('\n')}`)
    expect(shifted.filter((key) => !before.has(key)).length).toBeLessThanOrEqual(1)
  })

  test('blank lines above and below: nothing', async () => {
    const before = new Set(await keysOf('a.ts', file))
    for (const shifted of [`\n\n\n${file}`, `${file}\n\n`]) {
      const fresh = (await keysOf('a.ts', shifted)).filter((key) => !before.has(key))
      expect(fresh).toEqual([])
    }
  })

  test('a rename: nothing', async () => {
    expect(await keysOf('lib/b.ts', file)).toEqual(await keysOf('src/a.ts', file))
  })

  test('another space: everything', async () => {
    const [chunk] = (await chunkFile('a.ts', 'a\n')).chunks
    expect(toChunkKey('one:default', toEmbeddedText(chunk!))).not.toBe(toChunkKey('two:default', toEmbeddedText(chunk!)))
  })
})

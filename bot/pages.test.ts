import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openFence } from './fences.ts'
import { estimateBlocks, toPages } from './pages.ts'

const usual = { first: 2200, next: 11_400, blocks: 45 }

/** Markdown as models write it, and as they should not. */
const piece = fc.oneof(
  fc.lorem({ mode: 'sentences', maxCount: 4 }),
  fc.constantFrom('\n', '\n\n', '```ts\n', '```\n', '~~~\n', '````\n', '- item\n', '1. item\n', '# Head\n', '| a | b |\n', ' ', '`x`', '```', '    ```\n', '👩‍💻', '\ud83d'),
  fc.string({ maxLength: 400 }),
)
const markdown = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''))
const max = fc.record({ first: fc.integer({ min: 150, max: 600 }), next: fc.integer({ min: 200, max: 1500 }), blocks: fc.integer({ min: 3, max: 45 }) })

describe('toPages', () => {
  it('loses no character, adds none, and leaves no fence open, within the limits', () => {
    fc.assert(
      fc.property(markdown, max, (text, limits) => {
        const pages = toPages(text, limits)
        expect(pages.map(({ source }) => source).join('')).toBe(text)
        for (const [index, page] of pages.entries()) {
          expect(page.markdown).toContain(page.source)
          expect(openFence(page.markdown)).toBeNull()
          expect(page.markdown.length).toBeLessThanOrEqual(index === 0 ? limits.first : limits.next)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('never splits a character in two', () => {
    const pages = toPages('👍'.repeat(500), { first: 150, next: 150, blocks: 45 })
    expect(pages.every(({ source }) => source.isWellFormed())).toBe(true)
  })

  it('never cuts a link in two', () => {
    const link = fc.constantFrom('[[1]](https://git.example/acme/shop/blob/0123456789abcdef0123456789abcdef01234567/src/a%20b.ts#L1-L9)', '[the guide of it](https://docs.example/guide)')
    const words = fc.oneof(fc.lorem({ maxCount: 30 }), fc.constantFrom(' ', '\n', '. ', '👍'.repeat(90), 'x'.repeat(170)))
    fc.assert(
      fc.property(fc.array(fc.oneof(link, words), { maxLength: 40 }), max, (pieces, given) => {
        const limits = { ...given, first: given.first + 150 }
        const text = pieces.join('')
        const links = text.match(/\[\S[^\]\n]*\]{1,2}\(\S+?\)/g) ?? []
        expect(toPages(text, limits).flatMap(({ source }) => source.match(/\[\S[^\]\n]*\]{1,2}\(\S+?\)/g) ?? [])).toEqual(links)
      }),
      { numRuns: 400 },
    )
  })

  it('leaves a text that fits alone', () => {
    expect(toPages('One line.', usual)).toEqual([{ source: 'One line.', markdown: 'One line.' }])
    expect(toPages('', usual)).toEqual([{ source: '', markdown: '' }])
  })

  it('cuts between paragraphs where it can', () => {
    const paragraph = `${'word '.repeat(60)}\n\n`
    const [first] = toPages(paragraph.repeat(12), usual)
    expect(first?.source.endsWith('\n\n')).toBe(true)
  })

  it('counts lists and headings, for Slack makes a block of each', () => {
    const list = Array.from({ length: 100 }, (_, index) => `- ${index}\n`).join('')
    expect(estimateBlocks(list)).toBe(100)
    expect(toPages(list, usual).every(({ markdown: text }) => estimateBlocks(text) <= 45)).toBe(true)
  })
})

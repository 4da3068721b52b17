import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countParts, splitParts, toPartName } from './document-parts.ts'

test('the parts of a text are the text, as many as were counted, whatever the text', () => {
  const line = fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom('', '# Heading', '## Page 7', '🦊'.repeat(20)))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 200 }), fc.integer({ min: 1, max: 12 }), (lines, count) => {
      const text = lines.join('\n')
      const parts = splitParts(text, count)
      expect(parts).toHaveLength(count)
      expect(parts.join('')).toBe(text)
      // No line is cut; after the last one there is nothing for the parts that are left.
      for (const [at, part] of parts.entries()) expect(part.endsWith('\n') || parts.slice(at + 1).every((rest) => rest === '')).toBe(true)
    }),
  )
})

test('a part begins with a heading where one is near', () => {
  const pages = Array.from({ length: 20 }, (_, page) => `## Page ${page + 1}\n\n${'A line of text.\n'.repeat(20)}`)
  for (const part of splitParts(pages.join('\n'), 5)) expect(part).toMatch(/^## Page \d+\n/)
})

test('a short document has its own name', () => {
  expect([countParts(0), countParts(40 * 1024), countParts(40 * 1024 + 1)]).toEqual([1, 1, 2])
  expect([toPartName('a.pdf', 1, 1), toPartName('a.pdf', 2, 3)]).toEqual(['a.pdf', 'a.pdf (part 2 of 3)'])
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createUncitedMarker, uncitedMark } from './mark-uncited.ts'

function mark(text: string, pieces = [text]): { out: string; marked: number } {
  const marker = createUncitedMarker()
  const out = pieces.map((piece) => marker.push(piece)).join('') + marker.end()
  return { out, marked: marker.marked() }
}

test.each([
  ['a claim without a source', 'The team wrote it in the spring.', true],
  ['a claim with one', 'The team wrote it in the spring [2].', false],
  ['sentences that lead up to one', 'The team wrote it in the spring. It was then released in May [2].', false],
  ['a claim after the last one', 'The team wrote it in spring [2]. It is called by every handler.', true],
  ['a few words after it', 'The team wrote it in spring [2]. That is all.', false],
  ['a heading', '## What the team wrote in spring', false],
  ['what leads up to a list', 'These are the places where it is called:', false],
  ['a question', 'Do you want me to look for its tests?', false],
  ['code', '```ts\nconst one = two(three) + four(five) + six\n```', false],
  ['code in a line', '`const one = two three four five six`', false],
])('%s', (_, text, isMarked) => {
  expect(mark(text)).toEqual({ out: isMarked ? text + uncitedMark : text, marked: isMarked ? 1 : 0 })
})

test('in whatever pieces a text comes, the same is marked, and nothing is taken out', () => {
  const line = fc.constantFrom('The team wrote it in the spring.', 'It is so [1].', '```', '- `a` is called by b and c and d', '', '# Head')
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(200), { maxLength: 8 }), (lines, cuts) => {
      const text = lines.join('\n')
      const at = [...new Set([0, ...cuts.filter((cut) => cut < text.length), text.length])].sort((a, b) => a - b)
      const pieces = at.slice(1).map((end, index) => text.slice(at[index], end))
      expect(mark(text, pieces)).toEqual(mark(text))
      expect(mark(text).out.replaceAll(uncitedMark, '')).toBe(text)
    }),
  )
})

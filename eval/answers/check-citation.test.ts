import { describe, expect, test } from 'vitest'
import { faultOf, misquoted } from './check-citation.ts'

const text = 'export const a = 1\nexport const b = 2\nexport const c = 3\n'
const index = {
  sha: 'f00',
  documents: new Map([['src/a.ts', text]]),
  chunks: [{ path: 'src/a.ts', startLine: 1, endLine: 2, scope: [], content: 'export const a = 1\nexport const b = 2' }],
}
const citation = { n: 1, repository: 'shop', path: 'src/a.ts', startLine: 1, endLine: 2, sha: 'f00', url: null }

describe('a citation', () => {
  test('stands where its lines are indexed at that commit', async () => {
    expect(await faultOf(citation, index)).toBeNull()
    expect(await faultOf({ ...citation, startLine: 2 }, index)).toBeNull()
  })

  test.each([
    [{ path: 'src/b.ts' }, 'no document'],
    [{ sha: 'bad' }, 'cited at bad'],
    [{ endLine: 9 }, 'has no lines 1 to 9'],
    [{ startLine: 2, endLine: 1 }, 'has no lines 2 to 1'],
    [{ startLine: 3, endLine: 3 }, 'not in the index'],
  ])('%j falls', async (other, fault) => {
    expect(await faultOf({ ...citation, ...other }, index)).toContain(fault)
  })

  test('falls where the index has other text than the document', async () => {
    expect(await faultOf(citation, { ...index, chunks: [{ ...index.chunks[0]!, content: 'export const a = 7\nexport const b = 2' }] })).toContain('otherwise')
  })
})

test('lines are quoted as they stand, indented as one likes, and may be cut', () => {
  const passages = [{ content: '  if (a) {\n\treturn 1\n  }' }]
  expect(misquoted({ cited: [1], lines: ['if (a) {', '  return 1', '…', '', 'ret…'] }, passages)).toEqual([])
  expect(misquoted({ cited: [1], lines: ['return 2', 'rat…'] }, passages)).toEqual(['return 2', 'rat…'])

  const linked = [{ content: '  "url": "https://wiki.example", "place": "ENG",' }]
  expect(misquoted({ cited: [1], lines: ['"url": "(link removed)", "place": "ENG",'] }, linked)).toEqual([])
  expect(misquoted({ cited: [1], lines: ['"url": "(link removed)", "place": "OPS",'] }, linked)).toHaveLength(1)
})

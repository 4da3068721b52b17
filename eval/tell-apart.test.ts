import { expect, test } from 'vitest'
import { tellApart } from './tell-apart.ts'

test('checkouts are called by their folders, and by more of their paths where those are the same', () => {
  expect(tellApart(['/src/shop'])).toEqual(['shop'])
  expect(tellApart(['/src/shop', '/src/site', '/old/src/site'])).toEqual(['shop', 'src/site', 'old/src/site'])
  expect(tellApart(['/probot/repo', '/flask/repo', '/flask/repo'])).toEqual(['probot/repo', 'flask/repo', 'flask/repo'])
  expect(tellApart([])).toEqual([])
})

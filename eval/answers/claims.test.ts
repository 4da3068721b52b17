import { expect, test } from 'vitest'
import { readClaims } from './claims.ts'

test('a sentence without a marker is stood for by the next one in its line, and none by a line above', () => {
  const { claims } = readClaims('Cookies are signed by `sign`. The key is read once [2].\n\nNobody says where that is kept, it seems.\n\n- Called by `login` [1] and `logout` [3]. It never fails.[1]')
  expect(claims).toEqual([
    { text: 'Cookies are signed by `sign`.', cited: [2] },
    { text: 'The key is read once.', cited: [2] },
    { text: 'Nobody says where that is kept, it seems.', cited: [] },
    { text: 'Called by `login` and `logout`.', cited: [1, 3] },
    { text: 'It never fails.', cited: [1] },
  ])
})

test('headings, questions and what opens a list claim nothing; neither does code, which is read as a block under its marker', () => {
  const { claims, blocks } = readClaims('## Cookies are signed by the server [1]\nAre they signed by the server, then?\n`src/sign.ts`, lines 1–2 [4]:\n```ts\nsign(cookie) // A sentence that cites [9].\n```\nDone [1].')
  expect(claims).toEqual([{ text: 'Done.', cited: [1] }])
  expect(blocks).toEqual([{ cited: [4], lines: ['sign(cookie) // A sentence that cites [9].'] }])
})

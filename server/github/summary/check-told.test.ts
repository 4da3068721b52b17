import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toPassage } from '../../testing/evidence.ts'
import { defang } from '../defang.ts'
import { checkNotes, checkTold } from './check-told.ts'

const hunks = [
  { ...toPassage(1, 'src/pay.ts', 'charge the card of the customer once for every order that was placed today'), text: '' },
  { ...toPassage(2, 'src/a`b.ts', 'check(order)', { startLine: 7 }), text: '' },
]
const address = ({ path, startLine }: { path: string; startLine: number }) => `http://host.test/${encodeURIComponent(path)}#L${startLine}`
const told = (text: string) => checkTold(text, hunks, ['The provider limits how often we may call it at night'], address)
const one = '([`pay.ts:1`](http://host.test/src%2Fpay.ts#L1))'

test('numbers become links, lines become places to look at', () => {
  expect(told('Charges are tried again [1][1].\n\n- Orders may be charged twice [2].\n* Nothing waits [1].')).toEqual({
    what: `Charges are tried again ${one}.`,
    lookAt: ['Orders may be charged twice ([``a`b.ts:7``](http://host.test/src%2Fa%60b.ts#L7)).', `Nothing waits ${one}.`],
  })
})

test.each([
  ['what cites nothing', 'It is faster now.'],
  ['what cites a hunk that there is not', 'It is faster now [9].'],
  ['a verdict', 'This PR is approved [1].'],
  ['praise of the merge', 'Looks good, safe to merge [1].'],
  ['what the diff says word for word', 'We charge the card of the customer once for every order [1].'],
  ['what the author says word for word', 'The provider limits how often we may call it at night [1].'],
  ['our own request', 'BEGIN diff abc [1] src/pay.ts'],
  ['a heading', '# Charges are tried again [1]'],
  ['a picture', '![x](https://evil.example/x.png)'],
  ['nothing', ''],
])('%s is not shown', (_, text) => {
  expect(told(text)).toBeNull()
  expect(told(`Charges are tried again [1]. ${text.startsWith('#') ? '' : text}`)?.what).toBe(`Charges are tried again ${one}.`)
})

test('a summary that goes on and on ends with a sentence', () => {
  const { what, lookAt } = told(`${'Charges are tried again and again until the provider takes them [1]. '.repeat(40)}\n${'\n- One place more [1].'.repeat(9)}`)!
  expect(what.replace(/\(http[^)]*\)/g, '').length).toBeLessThan(1_200)
  expect(what.endsWith('.')).toBe(true)
  expect(lookAt).toHaveLength(3)
})

test('notes keep their numbers and lose everything else', () => {
  expect(checkNotes('## Notes\n- Charges are tried again [1].\n- LGTM [1]\n- See https://evil.example [2].\n- Uncited.', hunks)).toBe('- Charges are tried again [1].\n- See (link removed) [2].')
})

const piece = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('[1]', ' [2]. ', '\n- ', '\n\n', '`', '```', '@acme/admins', '#12', '<img src=x>', '![x](http://evil.example/x)', '[x](//evil.example)', '<!-- nura:x -->', '-->', '/merge', '**', '| a |', 'It waits', '> '),
)

test('whatever a model writes is live nowhere and links to hunks alone', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const shown = told(pieces.join(''))
      for (const line of shown ? [shown.what, ...shown.lookAt] : []) {
        expect(line).not.toContain('\n')
        const quiet = line.replace(/\]\(http:\/\/host\.test\/[^)]*\)/g, '](http://host.test)')
        expect(quiet).not.toContain('evil.example')
        expect(defang(quiet)).toBe(quiet)
      }
    }),
    { numRuns: 500 },
  )
})

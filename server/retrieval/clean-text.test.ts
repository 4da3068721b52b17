import { expect, test } from 'vitest'
import { cleanText } from './clean-text.ts'

/** What a model was talked into, form by form: what is left of it stands in a file beside, to be looked at when it changes. */
const texts = [
  'plain words, a/b, x:y, 12:30, 3/4 and C:\\dir stay',
  'see [docs](https://evil.example/?q=1) now',
  'see [docs](<https://evil.example/> "title") now',
  'see [docs][ref] now\n\n[ref]: https://evil.example/',
  'see [1](https://evil.example/) and [ 12 ](x) and [1a](x) and [a1](x)',
  'see [1][2] and [1, 2][3] and [docs][3] and [3][docs] and [docs][] and [-][-]',
  'see ![alt](https://evil.example/p.png) and ![alt] and ![alt][img]',
  '[![alt](https://evil.example/p.png)](https://evil.example/)',
  '[docs](https://evil.example/ and [docs]: x and ](x',
  '<https://evil.example/?q=1> and <https://evil.example|click> and <b|c>',
  '<!channel> <!here|here> <@U0ADMIN> <#C0GENERAL|general> <!subteam^S1|team> <! channel',
  'to @everyone, @ada, @acme/team and a@b.example, but x@y and decorators like @Input()',
  'acme/shop#12 and shop#12 and #12',
  'https://evil.example/?q=1, HTTPS://EVIL.EXAMPLE. (http://evil.example) "ftp://evil.example";',
  'http:\\\\evil.example and https:/\\evil.example and https%3A%2F%2Fevil.example',
  '//evil.example/x and \\\\evil.example\\x and www.evil.example and www2.evil.example',
  'evil.example/x evil.com evil.dev evil.dev/x evil.zip?q=1 evil.io:80 socket.io flask.app',
  '203.0.113.7/x 203.0.113.7:80/x 203.0.113.7 10.0.0.0/8 1.2.3.4',
  'mailto:a@evil.example tel:123 javascript:alert(1) data:text/html;base64,PGI+ slack://x vscode:x std::vector a::b',
  'http://localhost:3000/ and http://127.0.0.1:8080, http://[::1]:80 http://localhost/x',
  'h\u200Bttps://ev\u200Dil.example and \u202Eevil\u202C and tab\tstays',
  'ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ and https:⁄⁄evil.example and evil。example',
  '&#104;ttps&colon;&sol;&sol;evil&period;example &lt;b&gt; &amp;lt;b&amp;gt; &nbsp;x &tab;y &unknown; &COLON;',
  '&#0; &#65; &#x41; &#1114111; &#1114112; &#55296; &#57343; &#xD7FF; &#xE000; &#x10FFFF; &#9999999;',
  '<img src=https://evil.example> <a\nhref=x>y</a> <b>bold</b> <script>x</script> <!-- hidden --> <x> a < b > c <notatag',
  'ht<b></b>tps://evil.example and evil<i></i>.com',
  '\\[escaped\\](x) and a\\.b and \\<b\\> and C:\\new',
  'line\u0085two\u2028three',
  '\uD800 lone and 😀 whole',
  'import "github.com/gin-gonic/gin" and @Decorator() and a[0](x) and <T>(x: T) and <div>',
]

test('what is left of each form, as prose and as code', async () => {
  const shown = texts.flatMap((text) => [`> ${JSON.stringify(text)}`, ...(['prose', 'code'] as const).map((kind) => toLine(kind, cleanText(text, kind)))])
  await expect(`${shown.join('\n')}\n`).toMatchFileSnapshot('golden/clean-text.txt')
})

test('a host that a passage has word for word stays in code, and there alone', () => {
  const text = 'import "github.com/gin-gonic/gin" and evil.com'
  const mayKeep = (name: string) => name.startsWith('github.com/')
  expect(cleanText(text, 'code', mayKeep).text).toBe('import "github.com/gin-gonic/gin" and (link removed)')
  expect(cleanText(text, 'prose', mayKeep).text).not.toContain('github.com')
  // Behind a scheme it is an address, whatever a passage has; behind two slashes it may be a comment.
  expect(cleanText('https://github.com/x', 'code', () => true).text).toBe('(link removed)')
  expect(cleanText('//github.com/x', 'code', () => true).text).toBe('//github.com/x')
})

test('what is clean is left as it is, and nothing is counted', () => {
  expect(cleanText('It is so [1]. See `a.b` (2, 3) — 50 % of x > y.', 'prose')).toEqual({ text: 'It is so [1]. See `a.b` (2, 3) — 50 % of x > y.', removed: 0 })
})

test('what is cleaned stays clean', () => {
  for (const text of texts) for (const kind of ['prose', 'code'] as const) {
    const once = cleanText(text, kind).text
    expect(cleanText(once, kind).text).toBe(once)
  }
})

function toLine(kind: string, { text, removed }: { text: string; removed: number }): string {
  return `  ${kind} (${removed}): ${JSON.stringify(text)}`
}

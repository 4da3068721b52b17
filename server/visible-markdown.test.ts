import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { livePieces } from './testing/live-markdown.ts'
import { toVisibleMarkdown } from './visible-markdown.ts'

/** Pages whose reader sees «seen» and never «evil». */
const pages = [
  'seen <!-- evil --> seen',
  'seen\n\n<!--\n\n# evil\n\n```\nevil\n```\n\n-->\n\nseen',
  'seen\n\n<!-- evil, and open to the end\n\nevil',
  '- ```\n<!-- evil: that fence ended with its item -->\nseen',
  'seen `\n<!-- evil: no span of code reaches over a comment -->\n`',
  '> seen\n> <!-- evil\n> evil -->\n> seen',
  '1. seen\n\n   <!-- evil -->\n\n   seen',
  '[//]: # (evil)\n\nseen',
  '[comment]: <> (evil)\n[evil]: evil "evil"\n\nseen',
  '[a\nb]: /u "evil"\n\nseen',
  'seen [seen](https://site.example "evil") ![seen](p.png \'evil\') [seen](u\n(evil))',
  '<img src="p.png" alt="evil" title="evil"> seen',
  '<a href="#" data-note="evil" onclick="evil">seen</a>',
  '<span hidden>evil</span> seen',
  '<p style="color: red; display : none">evil</p>\n\nseen',
  '<div hidden>\n\n**evil** [evil](u)\n\n</div>\n\nseen',
  '<div aria-hidden="true">evil <b>evil</b></div>\n\nseen',
  '<script>evil</script>\n\nseen',
  'seen <script>evil</script> seen',
  '<style>\n.evil { evil: 1 }\n</style>\n\nseen',
  '<template>evil</template>seen',
  'seen <?evil evil?> seen',
  'seen <!DOCTYPE evil> <![CDATA[evil]]> seen',
  '```ts evil evil evil\nconst seen = 1\n```',
  '~~~js title="evil"\nseen\n~~~',
  'se\u200Ben <!\u200B-- evil -->',
  '<!-<!-- evil -->- seen',
]

describe('what a page does not show', () => {
  test.each(pages)('%j', (page) => {
    const text = toVisibleMarkdown(page)
    expect(text).toContain('seen')
    expect(text).not.toContain('evil')
    expect(text.split('\n')).toHaveLength(page.split('\n').length)
    expect(toVisibleMarkdown(text)).toBe(text)
  })

  test.each([['very deep', '> '.repeat(500)], ['of countless marks', '[a]('.repeat(5_000)], ['very long', 'word '.repeat(100_000)]])('is found in a page that is %s', (_, much) => {
    expect(toVisibleMarkdown(`${much}\n\n<!-- evil -->\n\n[x]: y "evil"\n`)).not.toContain('evil')
  })
})

test.each([
  '```html\n<!-- a template -->\n<p hidden>x</p>\n```\n',
  'Write `<!-- nura -->` there, or `[x]: y`.\n',
  '    <!-- indented code -->\n',
  '# A `Map<string, number>` of [links](./docs/a.md#b), ![pictures](p.png) and <https://site.example>\n',
  '- [ ] a\n- [x] b [1]: c\n\n| a | b |\n|---|---|\n| 1 < 2 | x <= y |\n',
  '---\ntitle: front matter\n---\n\n<details>\n<summary>More</summary>\n\nseen on a click\n\n</details>\n',
  '&lt;!-- written out --&gt; \\<!-- escaped -->\n',
])('what it shows stays: %j', (page) => {
  expect(toVisibleMarkdown(page)).toBe(page)
})

test('lines stay where they are, and doing it again changes nothing', () => {
  const piece = fc.constantFrom(...livePieces, '<div hidden>', '</div>', '<!', '->', '[x]: y "z"\n', '<?', '?>', '<b a="', '">', '\r\n', '    ')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const text = pieces.join('')
      const seen = toVisibleMarkdown(text)
      expect(seen.split('\n')).toHaveLength(text.split('\n').length)
      expect(toVisibleMarkdown(seen)).toBe(seen)
    }),
    { numRuns: 400 },
  )
})

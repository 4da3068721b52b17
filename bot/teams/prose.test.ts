import fc from 'fast-check'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, it } from 'vitest'
import { openFence } from '../fences.ts'
import { sampleCitation } from '../testing/fake-ask-server.ts'
import { createTeamsProse, plain, settledTeamsLength } from './prose.ts'

const citations = new Map([[1, sampleCitation], [2, { ...sampleCitation, n: 2, url: null }]])
const turn = (text: string) => createTeamsProse(citations).turn(text)

describe('createTeamsProse', () => {
  it('keeps the number of a source, drops one without source, and remembers what was cited', () => {
    const prose = createTeamsProse(citations)
    expect(prose.turn('See [2], [1] and [3].')).toBe('See [2], [1] and .')
    expect([...prose.cited]).toEqual([2, 1])
  })

  it.each([
    ['[text](https://evil.example/?q=1)', 'text'],
    ['![image](https://evil.example/a.png)', 'image'],
    ['[text][ref]', 'text'],
    ['[ref]: //evil.example/?q=1', 'ref'],
    ['> [ref]: //evil.example/?q=1', '> ref'],
    ['[a [b](//x.example) c](//evil.example)', 'a [b c]\u2060(//evil.example)'],
    ['<https://evil.example|click>', '`evil.example`'],
    ['https://evil.example/a?b=c', '`evil.example/a?b=c`'],
    ['see www.evil.example/x now', 'see `www.evil.example/x` now'],
    ['[1](https://evil.example)', '[1]'],
    ['Kept in the data: all of it', 'Kept in the data: all of it'],
    ['data:text/html;base64,AAAA', '`text/html;base64,AAAA`'],
    ['msteams://l/x', '`l/x`'],
    ['<a href="//evil.example">x</a>', '&lt;a href="//evil.example">x&lt;/a>'],
    ['<img src=//evil.example/?q>', '&lt;img src=//evil.example/?q>'],
    ['<at>Everyone</at>', '&lt;at>Everyone&lt;/at>'],
    ['`<at>Everyone</at>`', '`<\u2060at>Everyone<\u2060/at>`'],
    ['write to me@evil.example now', 'write to `me@evil.example` now'],
    ['safe \u202egnp.exe\u202c', 'safe gnp.exe'],
  ])('takes its power from %s', (given, shown) => {
    expect(turn(given)).toBe(shown)
  })

  it('makes a list of a table', () => {
    expect(turn('| Name | Use |\n|------|:---:|\n| verify | signs [1] |\nDone.')).toBe('- Name · Use\n- verify · signs [1]\nDone.')
  })

  it.each(['``https://evil.example/?q=`word`', '`https://evil.example/?q=``', 'a ` b https://evil.example `` c', '````x` https://evil.example', '\\`https://evil.example`', 'https://evil.example```https://evil.example```'])('takes backticks of unlike number for no code: %j', (text) => {
    expect(targetsOf(read(turn(text)))).toEqual([])
  })

  it('leaves code as it is, apart from what looks like naming somebody', () => {
    const code = 'Use `list[1]`:\n```ts\nconst x: Array<number> = list[1]\n| a |\n```\n'
    expect(turn(code)).toBe(code)
    expect(turn('```\n<at>x</at>\n```')).toBe('```\n<\u2060at>x<\u2060/at>\n```')
  })

  it('says the same in pieces as at once, for any sizes of the pieces', () => {
    const sentence = fc.constantFrom('It is in `verify` [1]. ', 'See list[1] here! ', '\n```ts\nlist[1]\n```\n', '\n| a. B | c |\n|---|---|\n| d. E | f |\n', 'And [3] too.\n', 'A [link](https://evil.example/x) away. ', '- item [2]\n')
    fc.assert(
      fc.property(fc.array(sentence), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (sentences, sizes) => {
        const text = sentences.join('')
        const prose = createTeamsProse(citations)
        let shown = ''
        let raw = ''
        for (let at = 0, turnOf = 0; at < text.length; turnOf++) {
          const size = sizes[turnOf % sizes.length] ?? 1
          raw += text.slice(at, at + size)
          at += size
          const settled = settledTeamsLength(raw, openFence(shown) !== null)
          shown += prose.turn(raw.slice(0, settled))
          raw = raw.slice(settled)
        }
        expect(shown + prose.turn(raw)).toBe(turn(text))
      }),
    )
  })

  it('shows no address and no markup of others, whatever the text is', () => {
    const hostile = fc.array(fc.constantFrom('https://evil.example/?q=', 'HTTP://EVIL', 'HTTP://EVIL.example', '<at>', '<a href=', '[x](', ')', '![', '](', '`', '``', '```', '~~~', '    ', '\\', '<', '>', '|', '\n', ' ', 'javascript:', '[1]', 'www.', 'www.evil.example', 'word')).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = turn(text)
        expect(targetsOf(read(shown))).toEqual([])
        expect(outsideCode(shown)).not.toMatch(/<|\][(:]|https?:\/\//i)
      }),
      { numRuns: 500 },
    )
  })
})

const read = (shown: string) => fromMarkdown(shown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })

/** What is shown but for what a reader of Markdown takes for code. */
function outsideCode(shown: string): string {
  const codes = (node: Nodes): Nodes[] => (node.type === 'code' || node.type === 'inlineCode' ? [node] : 'children' in node ? node.children.flatMap(codes) : [])
  return codes(read(shown)).reduceRight((left, { position }) => left.slice(0, position!.start.offset) + left.slice(position!.end.offset), shown)
}

/** What a reader of Markdown would make a link, an image or HTML of. */
function targetsOf(node: Nodes): string[] {
  const own = /^(?:link|image|definition|html)$/.test(node.type) ? [node.type] : []
  return 'children' in node ? [...own, ...node.children.flatMap(targetsOf)] : own
}

describe('plain', () => {
  it('has no address, no date macro, no mention and no line breaks, and fits', () => {
    expect(plain('see https://evil.example\n{{DATE(2020)}} <at>all</at> www.x.example')).toBe('see evil.example {\u2060{DATE(2020)}} <\u2060at>all<\u2060/at> www\u2060.x.example')
    expect(plain('👍'.repeat(50), 20).length).toBeLessThanOrEqual(20)
    expect(plain('👍'.repeat(50), 20).isWellFormed()).toBe(true)
  })
})

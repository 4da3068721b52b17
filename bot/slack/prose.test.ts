import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openFence } from '../fences.ts'
import { settledLength } from '../settled-length.ts'
import { sampleCitation } from '../testing/fake-ask-server.ts'
import { createProse } from './prose.ts'

const citations = new Map([[1, sampleCitation], [2, { ...sampleCitation, n: 2, url: null }]])
const turn = (text: string) => createProse(citations).turn(text)

describe('createProse', () => {
  it('links a citation to its source, keeps one without address, and drops one without source', () => {
    expect(turn('See [1], [2] and [3].')).toBe(`See [[1]](${sampleCitation.url}), [2] and .`)
  })

  it('remembers what was cited', () => {
    const prose = createProse(citations)
    prose.turn('Only [2].')
    expect([...prose.cited]).toEqual([2])
  })

  it('leaves code as it is, apart from pings', () => {
    const code = 'Use `list[1]`:\n```ts\nconst x = list[1] // https://example.com\n<!channel>\n```\nthen [1].\n'
    expect(turn(code)).toBe(code.replace('<!channel>', '&lt;!channel>').replace('then [1]', `then [[1]](${sampleCitation.url})`))
  })

  it.each([
    ['[text](https://evil.example/?q=1)', 'text'],
    ['![image](https://evil.example/a.png)', 'image'],
    ['<https://evil.example|click>', '`evil.example`'],
    ['https://evil.example/a?b=c', '`evil.example/a?b=c`'],
    ['[1](https://evil.example)', `[[1]](${sampleCitation.url})`],
    ['data:text/html;base64,AAAA', '`text/html;base64,AAAA`'],
    ['<!here> <!subteam^S1> <@U0BOB> <#C0X>', '&lt;!here> &lt;!subteam^S1> &lt;@U0BOB> &lt;#C0X>'],
  ])('takes the target from %s', (given, shown) => {
    expect(turn(given)).toBe(shown)
  })

  it('says the same in pieces as at once', () => {
    const sentence = fc.constantFrom('It is in `verify` [1]. ', 'See list[1] here! ', '\n```ts\nlist[1]\n```\n', 'And [3] too.\n', 'A [link](https://evil.example/x) away. ', '- item [2]\n')
    fc.assert(
      fc.property(fc.array(sentence, { maxLength: 20 }).map((all) => all.join('')), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 }), (text, sizes) => {
        const prose = createProse(citations)
        let shown = ''
        let waiting = ''
        let at = 0
        for (let index = 0; at < text.length; index++) {
          const size = sizes[index % sizes.length] ?? 1
          waiting += text.slice(at, at + size)
          at += size
          const length = settledLength(waiting, openFence(shown) !== null)
          shown += prose.turn(waiting.slice(0, length))
          waiting = waiting.slice(length)
        }
        expect(shown + prose.turn(waiting)).toBe(turn(text))
      }),
    )
  })
})

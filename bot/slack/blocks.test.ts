import { describe, expect, it } from 'vitest'
import { agents } from '#server/agents/index.ts'
import type { Citation } from '#server/answer-part.ts'
import { sampleCitation, sampleDone } from '../testing/fake-ask-server.ts'
import { answerBlocks, sourceBlocks } from './blocks.ts'
import type { Block } from './blocks.ts'
import { toClick } from './incoming.ts'

const inboxId = '00000000-0000-4000-8000-000000000001'
const now = Date.parse('2026-11-22T14:00:00Z')
const below = (more: Partial<ReturnType<typeof sampleDone>> = {}) => answerBlocks({ ...sampleDone(), ...more }, [], { inboxId, now, updated: false, outdated: false, mayCallHelp: true })
const textOf = (block: Block | undefined) => (block?.elements as { text: string }[] | undefined)?.map(({ text }) => text).join('\n')
type Menu = { action_id: string; options?: { text: { text: string }; value: string }[] }
const menuOf = (blocks: Block[]) => (blocks.at(-1)?.elements as Menu[] | undefined)?.find(({ action_id: id }) => id === 'lens')

describe('the menu to retell an answer', () => {
  it.each(agents.map(({ name }) => name))('offers every agent but %s, who told it', (agent) => {
    expect(menuOf(below({ agent }))?.options?.map(({ value }) => value)).toEqual(agents.filter(({ name }) => name !== agent).map(({ name }) => `${name} ${inboxId}`))
    expect(menuOf(below({ agent }))?.options?.map(({ text }) => text.text)).not.toContain(`As ${agents.find(({ name }) => name === agent)?.title}`)
  })

  it('is not there where nothing was found', () => {
    expect(menuOf(below({ abstained: true }))).toBeUndefined()
  })

  it('tells its choice as a click with the agent and the row', () => {
    const selected = menuOf(below())?.options?.[0]
    const self = { teamId: 'T0NURA001', botUserId: 'U0NURABOT', botId: undefined }
    const read = toClick({ type: 'block_actions', user: { id: 'U0ALICE' }, channel: { id: 'C0GENERAL' }, message: { ts: '2.0', thread_ts: '1.0' }, actions: [{ action_id: 'lens', selected_option: { value: selected?.value ?? '' } }] }, self, 'click-1')
    expect(read).toMatchObject({ incoming: { kind: 'action', name: 'lens', author: 'U0ALICE', value: `pm ${inboxId}`, place: { root: '1.0' } } })
  })
})

describe('a source', () => {
  const source = (more: Partial<Citation> = {}) => textOf(sourceBlocks([{ ...sampleCitation, ...more }], now)[0])

  it('is told by path, lines and commit, or by its title and when it changed', () => {
    expect(source()).toBe('<https://git.example/acme/api/blob/a1b2c3d/src/verify.ts#L10-L42|[1] src/verify.ts L10–42> · a1b2c3d')
    expect(source({ title: 'Pricing handbook', url: 'https://wiki.example/pricing', changedAt: '2026-11-19T10:00:00Z' })).toBe('<https://wiki.example/pricing|[1] Pricing handbook> · changed 3 d ago')
    expect(source({ title: 'Pricing handbook', url: null })).toBe('[1] Pricing handbook')
  })

  it('has a title in which nothing is obeyed', () => {
    expect(source({ title: '<!channel> a|b\n*c*', url: 'https://wiki.example/x|y>' })).toBe('<https://wiki.example/x%7Cy%3E|[1] &lt;!channel&gt; a¦b *c*>')
    expect(source({ title: 'x', url: 'javascript:alert(1)' })).toBe('[1] x')
  })
})

it('a source that is no repository has no commit in the footer', () => {
  const freshness = [{ repository: 'Handbook', sha: 'f'.repeat(40), branch: null, indexedAt: '2026-11-22T13:56:00Z' }]
  expect(textOf(below({ freshness })[0])).toMatch(/^Handbook · indexed 4 min ago {2}\|/)
})

import { describe, expect, it } from 'vitest'
import { explainSettings, toSettingsText } from './explain-settings.ts'
import type { SettingFacts } from './explain-settings.ts'

const model = (provider: string, name: string, baseUrl: string | null = null) => ({ provider, model: name, baseUrl })
const repository = (name: string, more: Partial<SettingFacts['repositories'][number]> = {}) => ({ name, audience: 'tenant' as const, isPublic: false, settings: null, settingsFault: null, ...more })
const facts: SettingFacts = {
  models: {
    dev: [model('openai', 'qwen', 'http://gpu-canary.internal:8001/v1'), model('bedrock', 'arn:aws:bedrock:us-east-1:123456789012:imported-model/abc')],
    pm: [model('openai', 'gpt-4.1')],
    architect: [model('extractive', 'default')],
    embedding: [model('openai', 'BAAI/bge-m3', 'http://gpu-canary.internal:8003/v1')],
  },
  sources: { dev: 'line-up', pm: 'environment', architect: 'default', embedding: 'line-up', reranker: 'default' },
  option: 'production',
  space: { active: 'openai:BAAI/bge-m3', next: null },
  dayTokens: 2_000_000,
  tokensToday: 12_345,
  limits: { asker: 20, channel: null, tenant: 300, source: 'default' },
  thread: null,
  audience: { kind: 'channel', id: 'slack:T1:C1' },
  repositories: [repository('acme/api')],
}
const explain = (change: Partial<SettingFacts> = {}) => explainSettings({ ...facts, ...change })
const find = (name: string, change: Partial<SettingFacts> = {}) => explain(change).find((setting) => setting.name === name)

describe('explainSettings', () => {
  it('tells each chain and where it comes from, without addresses and accounts', () => {
    expect(find('Dev answers with')).toMatchObject({ value: 'openai:qwen, then bedrock:a model of your own', source: 'line-up: NURA_MODELS=production' })
    expect(find('PM answers with')).toMatchObject({ value: 'openai:gpt-4.1', source: 'environment: PM_MODELS' })
    expect(find('Architect answers with')).toMatchObject({ value: 'extractive:default', source: 'default', explanation: expect.stringContaining('No language model') })
    expect(JSON.stringify(explain())).not.toMatch(/canary|123456789012|http/)
  })

  it('tells the space that is searched, and the one that is being built', () => {
    expect(find('Search by meaning')).toMatchObject({ value: 'openai:BAAI/bge-m3' })
    expect(find('Search by meaning', { space: { active: 'lexical:default', next: 'openai:BAAI/bge-m3' } })?.explanation).toContain('replaced by openai:BAAI/bge-m3')
  })

  it('holds today against the limit of the day', () => {
    expect(find('Tokens a day')).toMatchObject({ value: '2,000,000, 12,345 used today', source: 'environment: NURA_DAY_TOKENS' })
    expect(find('Tokens a day', { dayTokens: null })).toMatchObject({ value: 'no limit, 12,345 used today', source: 'default' })
  })

  it('tells how many questions are taken, where they are counted', () => {
    expect(find('Questions a minute')).toMatchObject({ value: '20 a person, 300 the workspace', source: 'default' })
    expect(find('Questions a minute', { limits: { asker: null, channel: null, tenant: null, source: 'environment: NURA_LIMIT_ASKER' } })?.value).toBe('no limit')
    expect(find('Questions a minute', { limits: null })).toBeUndefined()
  })

  it.each([
    [{ subscribed: true, muted: false }, 'followed'],
    [{ subscribed: true, muted: true }, 'muted'],
    [{ subscribed: false, muted: false }, 'not followed'],
  ])('tells of a thread that is %j', (thread, value) => {
    expect(find('This thread', { thread })).toMatchObject({ value, source: 'thread' })
  })

  it('tells the agent of a thread that has one', () => {
    expect(find('Agent of this thread', { thread: { subscribed: true, muted: false, agent: 'pm' } })?.value).toBe('PM')
    expect(find('Agent of this thread', { thread: { subscribed: true, muted: false, agent: null } })).toBeUndefined()
    expect(find('This thread')).toBeUndefined()
  })

  it('names the repositories it is given, as many as are read', () => {
    expect(find('Answered here from')).toMatchObject({ value: 'acme/api', source: 'tenant', explanation: expect.stringContaining('granted to this channel') })
    expect(find('Answered here from', { repositories: [] })?.value).toBe('nothing')
    expect(find('Answered here from', { repositories: Array.from({ length: 15 }, (_, at) => repository(`acme/r${at}`)) })?.value).toMatch(/acme\/r11 and 3 more$/)
  })

  it('tells what a .nura.yml says, and names no repository in it that is not read here', () => {
    const settings = { include: ['src/**'], ignore: ['docs/old'], summarise: false, recreate: false, sources: ['acme/secret', 'Acme/API'] }
    expect(find('Settings of acme/api', { repositories: [repository('acme/api', { settings })] })).toMatchObject({
      value: 'include src/**; ignore docs/old; summarise false; recreate false; sources Acme/API',
      source: '.nura.yml',
    })
    expect(find('Settings of acme/api', { repositories: [repository('acme/api', { settingsFault: 'line 3, `sources`: acme/secret' })] })).toMatchObject({ value: 'defaults', explanation: expect.stringContaining('at fault') })
    expect(JSON.stringify(explain({ repositories: [repository('acme/api', { settings, settingsFault: 'acme/secret' })] }))).not.toContain('secret')
  })

  it('tells the public nothing of how Nura is run', () => {
    const names = explain({ audience: { kind: 'public' } }).map(({ name }) => name)
    expect(names).toContain('Answered here from')
    expect(names.filter((name) => /answers with|Tokens|meaning|minute/.test(name))).toEqual([])
  })
})

it('writes settings as one list that no value can break', () => {
  const text = toSettingsText([{ name: 'A', value: 'src/**; `x`\n- y', source: 'default', explanation: 'Why.' }])
  expect(text).toBe('**What is in force here, and where it comes from**\n- **A**: `src/**;  x  - y` (default). Why.')
})

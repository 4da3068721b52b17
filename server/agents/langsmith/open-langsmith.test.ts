import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFakeLangsmith } from '../../testing/fake-langsmith.ts'
import type { FakeLangsmith } from '../../testing/fake-langsmith.ts'

const script = join(import.meta.dirname, '..', '..', 'testing', 'graph-process.ts')
let langsmith: FakeLangsmith

beforeEach(async () => {
  langsmith = await startFakeLangsmith()
})
afterEach(() => langsmith.close())

/** Runs graphs in a process of its own, with LangSmith in its environment as an operator writes it. */
async function run(env: Record<string, string>, ...args: string[]) {
  const keys = { LANGSMITH_API_KEY: 'lsv2-canary-key', LANGSMITH_ENDPOINT: langsmith.url, ...env }
  return promisify(execFile)(process.execPath, [script, ...args], { env: { PATH: process.env.PATH, HOME: '/nonexistent', ...keys } })
}

const answers = 'It is `canary-answer` of acme [1].\nIt is `canary-answer` of globex [1].\n'
const runsOf = (project: string) => [...langsmith.runs.values()].filter(({ session_name }) => session_name === project)

describe('the trap', () => {
  test('LangGraph by itself sends the question when the environment says so: what the other tests look for can be found', async () => {
    await run({ LANGSMITH_TRACING: 'true', LANGSMITH_PROJECT: 'nura' }, 'bare')
    expect(langsmith.seen()).toContain('canary-question')
  })

  test.each([
    ['LANGCHAIN_TRACING_V2'],
    ['LANGSMITH_TRACING_V2'],
    ['LANGCHAIN_TRACING'],
  ])('%s alone sends nothing at all', async (key) => {
    expect((await run({ [key]: 'true' })).stdout).toBe(answers)
    expect(langsmith.requests).toEqual([])
  })
})

describe('with LANGSMITH_TRACING=true', () => {
  test('each tenant has a project of its own, with the nodes and the model call of its runs, and no content', async () => {
    const { stdout } = await run({ LANGSMITH_TRACING: 'true' })
    expect(stdout).toBe(answers)

    const projects = new Set([...langsmith.runs.values()].map(({ session_name }) => session_name))
    expect([...projects].sort()).toEqual(['nura-acme', 'nura-globex'])
    const acme = runsOf('nura-acme')
    expect(acme.map(({ name }) => name)).toEqual(expect.arrayContaining(['answer question', 'choose', 'retrieve', 'answer', 'check', 'chat one']))
    const roots = acme.filter((each) => !each.parent_run_id)
    expect(roots.map(({ name, end_time }) => [name, end_time !== undefined])).toEqual([['answer question', true], ['answer question', true]])
    expect(new Set(acme.map(({ trace_id }) => trace_id))).toEqual(new Set(roots.map(({ id }) => id)))
    const called = acme.find(({ name, error }) => name === 'chat one' && !error)!
    expect(langsmith.runs.get(called.parent_run_id!)?.name).toBe('answer')
    expect(called).toMatchObject({ run_type: 'llm', extra: { metadata: { ls_provider: 'scripted', ls_model_name: 'one', usage_metadata: { input_tokens: 321, output_tokens: 12 } } } })
    // A node, the run and the call of a model that failed are marked as such, without the reason.
    expect(new Set(acme.flatMap(({ error }) => (error ? [error] : [])))).toEqual(new Set(['failed']))
    expect(langsmith.seen()).not.toMatch(/canary/)
  })

  test('NURA_LANGSMITH_CONTENT=show sends the content, still apart', async () => {
    await run({ LANGSMITH_TRACING: 'true', NURA_LANGSMITH_CONTENT: 'show', LANGSMITH_PROJECT: 'answers' })
    expect(JSON.stringify(runsOf('answers-acme'))).toContain('canary-answer` of acme')
    expect(JSON.stringify(runsOf('answers-acme'))).not.toContain('of globex')
    expect(JSON.stringify(runsOf('answers-globex'))).toContain('canary-passage')
    expect(langsmith.seen()).not.toContain('canary-key')
  })

  test.each(['hang', 'refuse'] as const)('a LangSmith that does %s costs no answer, and its last word is one warning', async (mode) => {
    langsmith.mode = mode
    const { stdout, stderr } = await run({ LANGSMITH_TRACING: 'true' })
    expect(stdout).toBe(answers)
    expect(langsmith.requests.length).toBeGreaterThan(0)
    expect(stderr).toMatch(mode === 'refuse' ? /^LangSmith did not take what it was sent; nothing waits for it\n$/ : /^(LangSmith did not take[^\n]*\n)?$/)
  })

  test('other places that its environment names get nothing', async () => {
    const other = await startFakeLangsmith()
    await run({ LANGSMITH_TRACING: 'true', LANGSMITH_RUNS_ENDPOINTS: JSON.stringify([{ api_url: other.url, api_key: 'k', project_name: 'all' }]) })
    expect(langsmith.runs.size).toBeGreaterThan(0)
    expect(other.requests).toEqual([])
    await other.close()
  })
})

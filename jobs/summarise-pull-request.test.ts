import { afterAll, beforeAll, expect, test } from 'vitest'
import { pino } from 'pino'
import { openSummaryRig } from '#server/github/summary/testing/open-summary-rig.ts'
import { summarisePullRequest as summarise } from '#server/github/summary/summarise.ts'
import { openTestGithub } from '#server/testing/open-test-github.ts'
import type { TestGithub } from '#server/testing/open-test-github.ts'
import { summarisePullRequest } from './summarise-pull-request.ts'
import type { SummariseParts } from './summarise-pull-request.ts'
import { jobContract } from './testing/job-contract.ts'

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())

async function open() {
  const rig = await openSummaryRig(setup, { files: { 'a.ts': 'export const a = 1\n' } })
  const pull = await rig.fake.openPull({ branch: 'b', files: { 'a.ts': 'export const a = 2\n' }, author: 'ada' })
  const parts: SummariseParts = { db: setup.db, log: pino({ level: 'silent' }), summarise: (tenant, request) => summarise(rig.parts, tenant, request) }
  const payload = { tenantId: rig.tenant.id, repositoryId: rig.repositoryId, number: pull.number }
  return { rig, pull, parts, payload }
}

jobContract(summarisePullRequest, async () => {
  const { rig, pull, parts, payload } = await open()
  return { payload, parts, picture: async () => ({ comments: rig.ours(pull).map(({ body }) => body), writes: rig.writes() }) }
})

test('one pull request is summarised by one worker at a time, and by nobody without an App', async () => {
  const { rig, pull, parts, payload } = await open()
  const context = { attempt: 1, lastAttempt: false, signal: new AbortController().signal }
  const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const hold = () => {
    begun.resolve()
    return held.promise
  }
  const first = summarisePullRequest.run(payload, { ...parts, summarise: hold }, context)
  await begun.promise
  await expect(summarisePullRequest.run(payload, parts, context)).rejects.toMatchObject({ code: 'summary-running', retryable: true })
  held.resolve()
  await first
  await summarisePullRequest.run(payload, { ...parts, summarise: null }, context)
  expect(rig.ours(pull)).toEqual([])
})

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { commandEvent } from '../testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
beforeAll(async () => {
  db = await openTestDb()
  nura = await openTestBot(db)
  nura.slack.workspace.users.set('U0ADMIN', { id: 'U0ADMIN', team_id: nura.slack.workspace.teamId, name: 'admin', is_admin: true })
})
beforeEach(() => {
  nura.server.requests.length = 0
  nura.server.github = { url: 'https://github.example/apps/nura/installations/new?state=s' }
})
afterAll(async () => {
  await nura?.close()
  await db?.close()
})

/** What the person, and nobody else, is answered. */
async function command(text: string, user = 'U0ALICE'): Promise<string> {
  const before = nura.slack.responses.length
  await nura.send(commandEvent(nura.slack.workspace, text, { user_id: user, response_url: nura.slack.responseUrl() }))
  await expect.poll(() => nura.slack.responses.length).toBe(before + 1)
  await nura.idle()
  const response = nura.slack.responses.at(-1) as { response_type: string; text: string }
  expect(response.response_type).toBe('ephemeral')
  return response.text
}

const begun = () => nura.server.requests.filter(({ path }) => path === '/v1/github/connections')

it('gives an admin the way to GitHub', async () => {
  expect(await command('connect github', 'U0ADMIN')).toContain('(https://github.example/apps/nura/installations/new?state=s)')
  expect(begun()).toMatchObject([{ method: 'POST', body: { kind: 'installation' } }])
})

it('connects nothing for anybody else', async () => {
  expect(await command('connect github')).toBe('Only an admin of this workspace can decide that.')
  expect(begun()).toEqual([])
})

it('lets everyone link their own account, in their own name', async () => {
  nura.server.github = { url: 'https://github.example/login/oauth/authorize?state=s' }
  expect(await command('Link GitHub')).toContain('(https://github.example/login/oauth/authorize?state=s)')
  expect(begun()).toMatchObject([{ method: 'POST', body: { kind: 'person', name: expect.any(String) as unknown } }])
})

it('lets no guest link an account', async () => {
  nura.slack.workspace.users.set('U0GUEST', { id: 'U0GUEST', team_id: nura.slack.workspace.teamId, name: 'guest', is_restricted: true })
  expect(await command('link github', 'U0GUEST')).toBe('Only members of this workspace can link an account.')
  expect(begun()).toEqual([])
})

it('forgets an account', async () => {
  nura.server.linked.add(`slack:${nura.slack.workspace.teamId}:U0ALICE`)
  expect(await command('unlink github')).toBe('I have forgotten your GitHub account.')
  expect(await command('unlink github')).toBe('No GitHub account is linked to you.')
})

it.each([
  { status: 400, code: 'github-not-configured', message: 'GitHub is not set up in this Nura.', retryable: false },
  { status: 503, code: 'github-unavailable', message: 'GitHub does not answer just now.', retryable: true },
])('says why it cannot: $code', async ({ status, ...error }) => {
  nura.server.github = { status, error }
  expect(await command('connect github', 'U0ADMIN')).toBe(error.message)
})

it('takes what only begins like a command for a question', async () => {
  await nura.send(commandEvent(nura.slack.workspace, 'link the parser to the lexer, where?', { response_url: nura.slack.responseUrl() }))
  await expect.poll(() => nura.server.asked.at(-1)?.question).toBe('link the parser to the lexer, where?')
  await nura.idle()
  expect(begun()).toEqual([])
  expect(await command('link')).toContain('`/nura link github`')
})

it('shows the commands in the help', async () => {
  expect(await command('help')).toContain('cite file, lines and commit')
  expect(JSON.stringify(nura.slack.responses.at(-1))).toContain('/nura connect github')
})

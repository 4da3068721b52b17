import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhooks } from '@octokit/webhooks'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createOctokitApp } from './create-octokit-app.ts'
import type { FakeRepository } from './fake-repository.ts'
import { startFakeGithub } from './start-fake-github.ts'
import type { FakeGithub } from './start-fake-github.ts'
import type { Installation } from './world.ts'

let github: FakeGithub
let installation: Installation
let repository: FakeRepository
let server: Server
let hook: string
let status = 202
const received: { name: string; guid: string; signature: string; body: string }[] = []

beforeAll(async () => {
  github = await startFakeGithub()
  installation = await github.addInstallation({ account: 'acme' })
  repository = await github.addRepository({ installation, name: 'shop', files: { a: 'a' } })
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const read = (name: string) => String(request.headers[name])
      received.push({
        name: read('x-github-event'),
        guid: read('x-github-delivery'),
        signature: read('x-hub-signature-256'),
        body,
      })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  hook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/github/webhooks`
  github.deliveries.hookUrl = hook
})
afterEach(() => {
  received.length = 0
  github.deliveries.log.length = 0
  github.deliveries.auto = false
  status = 202
})
afterAll(async () => {
  await github.close()
  await new Promise((resolve) => server.close(resolve))
})

test('events are signed as octokit checks it, byte for byte', async () => {
  const webhooks = new Webhooks({ secret: github.app.webhookSecret })
  const text = '{"action":"created","zen":"\\u003c","number":1.0}'
  await github.deliver(hook, github.event('issues', text))
  expect(received[0]!.body).toBe(text)
  expect(await webhooks.verify(received[0]!.body, received[0]!.signature)).toBe(true)
  await github.deliver(hook, github.event('issues', text, { secret: 'another' }), { headers: { 'x-hub-signature': undefined } })
  expect(await webhooks.verify(received[1]!.body, received[1]!.signature)).toBe(false)
})

test('what happens is delivered by itself when asked, our own comments too', async () => {
  github.deliveries.auto = true
  await repository.commit({ b: 'b' })
  const pull = await repository.openPull({ branch: 'feature', files: { c: 'c' }, author: 'alice' })
  await pull.push({ d: 'd' })
  await pull.comment('bob', '@nura hi')
  const octokit = await createOctokitApp(github).getInstallationOctokit(installation.id)
  await octokit.rest.issues.createComment({ owner: 'acme', repo: 'shop', issue_number: pull.number, body: 'Hi' })
  await github.deliveries.settle()
  await repository.rename('store')
  await github.suspend(installation)
  await github.unsuspend(installation)
  const told = received.map(({ name, body }) => [
    name,
    (JSON.parse(body) as { action?: string; sender: { login: string } }).action ?? '',
    (JSON.parse(body) as { sender: { login: string } }).sender.login,
  ])
  expect(told).toEqual([
    ['push', '', 'acme'],
    ['push', '', 'alice'],
    ['pull_request', 'opened', 'alice'],
    ['push', '', 'alice'],
    ['pull_request', 'synchronize', 'alice'],
    ['issue_comment', 'created', 'bob'],
    ['issue_comment', 'created', 'nura[bot]'],
    ['repository', 'renamed', 'acme'],
    ['installation', 'suspend', 'acme'],
    ['installation', 'unsuspend', 'acme'],
  ])
})

test('a forced push says so', async () => {
  const base = await repository.git('rev-parse', 'main')
  await repository.commit({ e: 'e' })
  github.deliveries.auto = true
  await repository.forcePush('main', base)
  await repository.setRef('refs/heads/feature', null)
  expect(received.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
    { forced: true, after: base },
    { forced: false, deleted: true, ref: 'refs/heads/feature' },
    { action: 'closed', pull_request: { state: 'closed', merged: false } },
  ])
})

test('nothing is told of what the App does not reach, nor while it is suspended', async () => {
  github.deliveries.auto = true
  const hidden = await github.addRepository({ installation: null, owner: 'acme', name: 'hidden', files: { a: 'a' } })
  await hidden.commit({ b: 'b' })
  await github.suspend(installation)
  await repository.commit({ f: 'f' })
  await github.unsuspend(installation)
  await github.removeFrom(installation, repository)
  await repository.commit({ g: 'g' })
  await github.addTo(installation, repository)
  expect(received.map(({ name }) => name)).toEqual([
    'installation',
    'installation',
    'installation_repositories',
    'installation_repositories',
  ])
})

test('what failed on the way is listed, and sent again under the same id', async () => {
  const app = createOctokitApp(github)
  const event = github.event(
    'push',
    await github.payloads.push(repository, {
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: await repository.git('rev-parse', 'main'),
    }),
  )
  github.deliveries.dropNext()
  await github.deliver(hook, event)
  status = 500
  await github.deliver(hook, github.event('ping', {}))
  status = 202
  await github.deliver(hook, github.event('ping', {}))
  expect(received).toHaveLength(2)
  const list = async (query: { status?: 'failure' } = {}) => (await app.octokit.request('GET /app/hook/deliveries', query)).data
  expect((await list()).map(({ event: name, status_code: code, redelivery }) => [name, code, redelivery])).toEqual([
    ['ping', 202, false],
    ['ping', 500, false],
    ['push', 502, false],
  ])
  expect((await list({ status: 'failure' })).map(({ status_code: code }) => code)).toEqual([500, 502])
  const paged = await app.octokit.paginate('GET /app/hook/deliveries', { per_page: 1 })
  expect(paged.map(({ id }) => id)).toEqual((await list()).map(({ id }) => id))

  const failed = (await list()).find(({ event: name }) => name === 'push')!
  expect(failed).toMatchObject({ guid: event.guid, installation_id: installation.id, repository_id: repository.id })
  const whole = (await app.octokit.rest.apps.getWebhookDelivery({ delivery_id: Number(failed.id) })).data
  expect(whole.request.payload).toEqual(event.payload)
  expect((await app.octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: Number(failed.id) })).status).toBe(202)
  await github.deliveries.settle()
  expect(received.at(-1)).toMatchObject({ guid: event.guid, name: 'push', body: event.rawBody.toString('utf8') })
  expect((await list())[0]).toMatchObject({ guid: event.guid, redelivery: true, status_code: 202 })
})

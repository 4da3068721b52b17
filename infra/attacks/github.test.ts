import { createHmac } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Event } from '#server/testing/fake-github/deliveries.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { zeros } from '#server/testing/fake-github/payloads.ts'
import type { Installation } from '#server/testing/fake-github/world.ts'
import { postRaw } from '../testing/post-raw.ts'
import { startGithubDeployment } from '../testing/start-github-deployment.ts'
import type { GithubDeployment } from '../testing/start-github-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 400_000 })

/** Deliveries that GitHub did not send, sent before, or sent in another order, against running processes. */
let nura: GithubDeployment
let acme: Installation
let shop: FakeRepository
let twin: FakeRepository
const pay = (word: string) => `/** Charges the card of a ${word}. */\nexport function charge${word}() {}\n`
beforeAll(async () => {
  nura = await startGithubDeployment({
    model: true,
    tenants: { acme: 'acme', globex: 'globex' },
    env: { GITHUB_SWEEP_INTERVAL: '3600' },
    async prepare(github) {
      acme = await github.addInstallation({ account: 'acme' })
      const globex = await github.addInstallation({ account: 'globex' })
      shop = await github.addRepository({ installation: acme, name: 'shop', private: true, files: { 'pay.ts': pay('First'), '.nura.yml': 'summarise: false\n' } })
      twin = await github.addRepository({ installation: globex, owner: 'globex', name: 'twin', private: true, files: { 'twin.ts': pay('Twin') } })
      shop.permit('ada', 'write')
    },
  })
  await nura.indexed('acme/shop', await head(), 'acme')
  await nura.indexed('globex/twin', await head(twin), 'globex')
  await nura.settled()
})
afterAll(() => nura?.close())

const head = (of = shop) => of.git('rev-parse', 'HEAD')
const carriedOut = () => nura.output().split('delivery carried out').length - 1
const push = async (to: { before: string; after: string }, of = shop) => nura.github.event('push', await nura.github.payloads.push(of, { ref: 'refs/heads/main', ...to }))
const current = async (of = shop) => push({ before: await head(of), after: await head(of) }, of)
/** An event again, as it would come under another id. */
const renamed = ({ name, rawBody }: Event) => nura.github.event(name, rawBody.toString())
const ours = (thread: { comments: { user: { login: string }; body: string }[] }) => thread.comments.filter(({ user }) => user.login === 'nura[bot]')

test('T24: a delivery that is not signed as GitHub signs is 401, and nothing comes of it', async () => {
  const secret = nura.github.app.webhookSecret
  const sign = (body: string | Buffer, hash = 'sha256') => `${hash}=${createHmac(hash, secret).update(body).digest('hex')}`
  const cases: Record<string, (event: Event, right: string) => OutgoingHttpHeaders> = {
    missing: () => ({ 'x-hub-signature-256': [] }),
    empty: () => ({ 'x-hub-signature-256': '' }),
    'SHA-1 alone': ({ rawBody }) => ({ 'x-hub-signature-256': [], 'x-hub-signature': sign(rawBody, 'sha1') }),
    'SHA-1 where SHA-256 belongs': ({ rawBody }) => ({ 'x-hub-signature-256': sign(rawBody, 'sha1') }),
    'SHA-512 where SHA-256 belongs': ({ rawBody }) => ({ 'x-hub-signature-256': sign(rawBody, 'sha512') }),
    'too short': (_, right) => ({ 'x-hub-signature-256': right.slice(0, -1) }),
    'too long': (_, right) => ({ 'x-hub-signature-256': `${right}0` }),
    'in upper case': (_, right) => ({ 'x-hub-signature-256': right.toUpperCase() }),
    'its hash in upper case': (_, right) => ({ 'x-hub-signature-256': `sha256=${right.slice(7).toUpperCase()}` }),
    'without its method': (_, right) => ({ 'x-hub-signature-256': right.slice(7) }),
    twice: (_, right) => ({ 'x-hub-signature-256': [right, right] }),
    'wrong, then right': (_, right) => ({ 'x-hub-signature-256': [`sha256=${'0'.repeat(64)}`, right] }),
    'two in one': (_, right) => ({ 'x-hub-signature-256': `${right},${right}` }),
    'of the body and a space': ({ rawBody }) => ({ 'x-hub-signature-256': sign(`${rawBody.toString()} `) }),
    'of the body written anew': ({ rawBody }) => ({ 'x-hub-signature-256': sign(JSON.stringify(JSON.parse(rawBody.toString()), null, 1)) }),
    'of nothing': () => ({ 'x-hub-signature-256': sign('') }),
    'with another secret': ({ rawBody }) => ({ 'x-hub-signature-256': `sha256=${createHmac('sha256', 'another secret').update(rawBody).digest('hex')}` }),
    'with no secret': ({ rawBody }) => ({ 'x-hub-signature-256': `sha256=${createHmac('sha256', '').update(rawBody).digest('hex')}` }),
  }
  const [before, calls] = [carriedOut(), nura.github.calls.length]
  const got: Record<string, number> = {}
  for (const [name, change] of Object.entries(cases)) {
    const event = await current()
    got[name] = await postRaw(nura.hook, event.rawBody, { ...event.headers, ...change(event, event.headers['x-hub-signature-256']!) })
  }
  expect(got).toEqual(Object.fromEntries(Object.keys(cases).map((name) => [name, 401])))
  const good = await current()
  expect(await postRaw(nura.hook, `${good.rawBody.toString()} `, good.headers)).toBe(401)
  expect(await postRaw(nura.hook, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), good.rawBody]), good.headers)).toBe(401)
  await nura.settled()
  expect({ carriedOut: carriedOut(), calls: nura.github.calls.length }).toEqual({ carriedOut: before, calls })
})

test('T24: what is signed but names an installation of somebody else, or of nobody, changes nothing', async () => {
  const before = { acme: await nura.repositories('acme'), globex: await nura.repositories('globex') }
  const { event, payloads } = nura.github
  const asAcme = { installation: { id: acme.id, node_id: 'x' } }
  const stranger = await nura.github.addInstallation({ account: 'stranger' })
  const theirs = await payloads.push(twin, { ref: 'refs/heads/main', before: zeros, after: await head(twin) })
  const sent: [string, object][] = [
    ['push', { ...theirs, ...asAcme }],
    ['repository', { ...payloads.repository('deleted', twin), ...asAcme }],
    ['repository', { ...payloads.repository('publicized', twin), ...asAcme }],
    ['push', { ...theirs, installation: { id: stranger.id, node_id: 'x' } }],
    ['push', { ...theirs, installation: { id: 999_999_999, node_id: 'x' } }],
    ['installation', payloads.installation('created', stranger)],
  ]
  for (const [name, payload] of sent) expect(await nura.deliver(event(name, payload))).toBe(202)
  await nura.settled()
  expect({ acme: await nura.repositories('acme'), globex: await nura.repositories('globex') }).toEqual(before)
  expect(JSON.stringify(await nura.search('chargeTwin', { tenant: 'acme' }))).not.toContain('chargeTwin()')
})

test('T25: a delivery that comes again, at once and later, is carried out once; old news under a new id turn nothing back', async () => {
  const old = { before: zeros, after: await head() }
  const sha = await shop.commit({ 'pay.ts': pay('Second') })
  const delivery = await push({ before: old.after, after: sha })
  const before = carriedOut()
  expect(await Promise.all(Array.from({ length: 20 }, () => nura.deliver(delivery)))).toEqual(Array(20).fill(202))
  await nura.indexed('acme/shop', sha, 'acme')
  for (let again = 0; again < 3; again++) expect(await nura.deliver(delivery)).toBe(202)
  await nura.settled()
  expect(carriedOut() - before).toBe(1)

  const indexed = await nura.repositories('acme')
  for (const event of [await push(old), await push({ before: sha, after: old.after }), renamed(delivery)]) expect(await nura.deliver(event)).toBe(202)
  await nura.settled()
  expect(await nura.repositories('acme')).toEqual(indexed)
  expect((await nura.search('chargeSecond', { tenant: 'acme' }))[0]).toMatchObject({ path: 'pay.ts', sha })
  expect(JSON.stringify(await nura.search('chargeFirst', { tenant: 'acme' }))).not.toContain('chargeFirst()')
})

test('T25: a mention that comes again, at once and later, is answered once', async () => {
  const issue = await shop.openIssue({ title: 'A question', author: 'ada' })
  const comment = await issue.comment('ada', '@nura what does chargeSecond do?')
  const delivery = nura.github.event('issue_comment', nura.github.payloads.issueComment('created', shop, issue, comment))
  expect(await Promise.all(Array.from({ length: 20 }, () => nura.deliver(delivery)))).toEqual(Array(20).fill(202))
  await until('the answer', () => ours(issue).length > 0)
  await nura.settled()
  expect(await nura.deliver(delivery)).toBe(202)
  await nura.settled()
  expect(ours(issue)).toHaveLength(1)
})

test('T26: whatever order pushes come in, the index is as one that is made fresh', async () => {
  const steps = [await head()]
  for (const word of ['Third', 'Fourth', 'Fifth']) steps.push(await shop.commit({ 'pay.ts': pay(word), [`only-${word}.ts`]: pay(`Only${word}`) }))
  const last = await shop.commit({ 'only-Third.ts': null, 'only-Fourth.ts': null })
  steps.push(last)
  const pushes = await Promise.all(steps.slice(1).map((after, at) => push({ before: steps[at]!, after })))
  const { event, payloads } = nura.github
  const branchGone = event('push', { ...(await payloads.push(shop, { ref: 'refs/heads/main', before: last, after: zeros })), deleted: true })
  for (const delivery of [pushes[3]!, branchGone, pushes[1]!, pushes[0]!, pushes[2]!]) expect(await nura.deliver(delivery)).toBe(202)
  await nura.indexed('acme/shop', last, 'acme')
  await nura.settled()

  const files = { '.nura.yml': 'summarise: false\n', 'pay.ts': pay('Fifth'), 'only-Fifth.ts': pay('OnlyFifth') }
  const fresh = await nura.github.addRepository({ installation: acme, name: 'fresh', private: true, files })
  expect(await nura.deliver(event('installation_repositories', payloads.installationRepositories('added', acme, [fresh.id])))).toBe(202)
  const made = await nura.indexed('acme/fresh', await head(fresh), 'acme')
  const followed = (await nura.repositories('acme')).find(({ name }) => name === 'acme/shop')!
  expect({ files: followed.files, chunks: followed.chunks, skipped: followed.skipped }).toEqual({ files: made.files, chunks: made.chunks, skipped: made.skipped })
  for (const word of ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'OnlyThird', 'OnlyFourth', 'OnlyFifth']) {
    const of = async (repository: string) => (await nura.search(`charge${word}`, { tenant: 'acme', repository })).map(({ path, startLine, content }) => ({ path, startLine, content }))
    expect(await of('acme/shop'), word).toEqual(await of('acme/fresh'))
  }
})

test('T26: a pull request that is told closed before it is told open, and a repository that is told gone before a push to it, stay as GitHub has them', async () => {
  const { event, payloads } = nura.github
  const pull = await shop.openPull({ branch: 'late', files: { 'late.ts': pay('Late') }, author: 'ada' })
  const opened = event('pull_request', await payloads.pullRequest('opened', shop, pull))
  await pull.close()
  const closed = event('pull_request', await payloads.pullRequest('closed', shop, pull))
  for (const delivery of [closed, opened]) expect(await nura.deliver(delivery)).toBe(202)
  await nura.settled()
  expect(ours(pull)).toEqual([])

  const doomed = await nura.github.addRepository({ installation: acme, name: 'doomed', private: true, files: { 'doomed.ts': pay('Doomed') } })
  expect(await nura.deliver(event('installation_repositories', payloads.installationRepositories('added', acme, [doomed.id])))).toBe(202)
  await nura.indexed('acme/doomed', await head(doomed), 'acme')
  const late = await current(doomed)
  const gone = event('repository', payloads.repository('deleted', doomed))
  await nura.github.removeFrom(acme, doomed)
  for (const delivery of [gone, late, renamed(late)]) expect(await nura.deliver(delivery)).toBe(202)
  await until('it to be forgotten', async () => !(await nura.repositories('acme')).some(({ name }) => name === 'acme/doomed'))
  await nura.settled()
  expect((await nura.repositories('acme')).map(({ name }) => name)).not.toContain('acme/doomed')
  expect(JSON.stringify(await nura.search('chargeDoomed', { tenant: 'acme' }))).not.toContain('chargeDoomed')
})

test('T24–T26: nothing was asked of GitHub that it does not offer', () => {
  expect(nura.github.unknown.map(({ method, path }) => `${method} ${path}`)).toEqual([])
})

import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { accept, findByAnswer } from '#db/shared/inbox.ts'
import { findTeamsInstallation } from '#db/shared/teams-installations.ts'
import { connectWorkspace, findWorkspaceTenant } from '#db/shared/workspaces.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import type { Message } from '../platform.ts'
import { shortAnswer } from '../testing/fake-ask-server.ts'
import { platformContract } from '../testing/platform-contract.ts'
import { openTestTeams } from '../testing/open-test-teams.ts'
import type { TestTeams } from '../testing/open-test-teams.ts'
import { changeActivity, claimsFor, clickActivity, installationActivity, messageActivity, teamsIds } from '../testing/teams-activity.ts'
import type { Activity } from '../testing/teams-activity.ts'
import type { Activity as Sent } from './activity.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestTeams
let many: TestTeams
beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  db = await openTestDb()
  nura = await openTestTeams(db)
  many = await openTestTeams(db, { multi: true })
  for (const { directory } of [nura, many]) directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
})
/** What was there before the test. */
let before = new Map<TestTeams, { said: number; asked: number }>()
beforeEach(() => {
  before = new Map([nura, many].map((each) => [each, { said: each.connector.seen().length, asked: each.server.asked.length }]))
})
afterAll(async () => {
  vi.restoreAllMocks()
  await nura?.close()
  await many?.close()
  await db?.close()
})

/** What people see that was said since the test began. */
const spoken = (at = nura) => at.connector.seen().slice(before.get(at)!.said).map(({ conversation, activity: { text } }) => ({ conversation, text: text ?? '' }))
/** What the server was asked since then. */
const asked = (at = nura) => at.server.asked.slice(before.get(at)!.asked)
/** The newest message that was stored, and the first message that shows its reply. */
const lastReply = async () => (await db.control((tx) => tx.query<{ id: string; message: string }>(`select id, delivery->'messages'->>0 as message from inbox where kind = 'message' order by sequence desc limit 1`)))[0]!

const countRows = async () => (await db.control((tx) => tx.query<{ rows: number }>('select (select count(*) from inbox)::int + (select count(*) from teams_installation)::int as rows')))[0]?.rows
const question = (text = 'where is it?') => messageActivity({ text })

describe('a request that is not from Teams', () => {
  const post = (body: string, authorization?: string) => fetch(`${nura.url}/api/messages`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) } })

  it.each<[string, (activity: Activity) => Promise<string | undefined>]>([
    ['has no token', async () => undefined],
    ['has one that a stranger made', async (activity) => `Bearer ${(await nura.identity.sign(claimsFor(activity))).slice(0, -8)}AAAAAAAA`],
    ['has one for another connector', async () => `Bearer ${await nura.identity.sign({ serviceurl: 'https://other.example/' })}`],
    ['has one for another app', async (activity) => `Bearer ${await nura.identity.sign({ ...claimsFor(activity), aud: 'another' })}`],
    ['has one that has run out', async (activity) => `Bearer ${await nura.identity.sign({ ...claimsFor(activity), exp: 1000 })}`],
  ])('is 401, leaves no row and calls nobody when it %s', async (_, sign) => {
    const activity = { ...question(), serviceUrl: nura.serviceUrl }
    const [rows, calls] = [await countRows(), nura.directory.requests.length + nura.connector.calls.length]
    for (const sent of [activity, { ...installationActivity('add'), serviceUrl: nura.serviceUrl }]) expect((await post(JSON.stringify(sent), await sign(sent))).status).toBe(401)
    await nura.idle()
    expect(await countRows()).toBe(rows)
    expect(nura.directory.requests.length + nura.connector.calls.length).toBe(calls)
    expect(spoken()).toEqual([])
  })

  it.each(['not json', '[]', 'null', '"text"', '{"type":3}', '{"type":""}', '{"channelId":"msteams"}'])('is 400 when it is no activity: %s', async (body) => {
    expect((await post(body)).status).toBe(400)
  })

  it('is 413 when it is too large, whether it says so or not', async () => {
    const body = 'x'.repeat(1024 * 1024 + 1)
    expect((await post(body)).status).toBe(413)
    expect(await rawStatus(`POST /api/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).toBe(413)
  })

  it('is nobody\'s here when it is no POST or goes elsewhere', async () => {
    expect((await fetch(`${nura.url}/api/messages`)).status).toBe(404)
    expect((await fetch(`${nura.url}/api/other`, { method: 'POST', body: '{}' })).status).toBe(404)
  })

  function rawStatus(request: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(nura.url).port), '127.0.0.1', () => socket.write(request))
      socket.on('data', (data) => {
        resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1]))
        socket.destroy()
      })
      socket.on('error', reject)
    })
  }
})

describe('a verified activity', () => {
  it('is 403, stores nothing and calls nobody where its connector is no address to call', async () => {
    const rows = await countRows()
    for (const serviceUrl of ['http://smba.example/', 'ftp://smba.example/', 'https://user:secret@smba.example/', 'not an address']) {
      expect((await nura.send({ ...question(), serviceUrl })).status, serviceUrl).toBe(403)
    }
    expect(await countRows()).toBe(rows)
  })

  it('is 202 once its row is stored, and one row however often it is told', async () => {
    const activity = messageActivity({ text: 'where is it?', id: '1700000000100' })
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await nura.send(activity)).status))
    expect(statuses).toEqual([202, 202, 202, 202, 202])
    await nura.idle()
    expect(spoken()).toEqual([{ conversation: `${teamsIds.channel};messageid=1700000000100`, text: 'Signatures are verified in `verify` [1].' }])
    expect(asked()).toMatchObject([{ audience: { kind: 'channel', id: `teams:${teamsIds.directory}:${teamsIds.channel}` }, prefer: 'pm', timeZone: 'Europe/Berlin' }])
  })

  it('is 503 when it cannot be stored, so that Teams sends it again', async () => {
    const broken = await openTestTeams(db, { receive: () => Promise.reject(new Error('the database is away')) })
    try {
      const response = await broken.send(question())
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toBe('1')
      expect(await response.text()).not.toContain('database')
    } finally {
      await broken.close()
    }
  })

  it('is 503 while the keys of the identity provider are not to be had', async () => {
    const fresh = await openTestTeams(db)
    try {
      fresh.identity.fail('metadata', { kind: 'status', status: 500 })
      expect((await fresh.send(question())).status).toBe(503)
      expect((await fresh.send(question())).status).toBe(202)
      await fresh.idle()
    } finally {
      await fresh.close()
    }
  })

  it('of another directory than the one that is served is ignored', async () => {
    const rows = await countRows()
    expect((await nura.send(messageActivity({ text: 'hello?', directory: 'another-directory' }))).status).toBe(202)
    expect((await nura.send(installationActivity('add', { directory: 'another-directory' }))).status).toBe(202)
    expect(await countRows()).toBe(rows)
  })

  it('that neither names Nura nor stands where it takes part is not stored', async () => {
    await nura.send(question('set the scene'))
    await nura.idle()
    const rows = await countRows()
    expect((await nura.send(messageActivity({ text: 'between us', mentioned: false }))).status).toBe(202)
    expect((await nura.send(messageActivity({ text: 'between us too', mentioned: false, thread: '1600000000000' }))).status).toBe(202)
    expect(await countRows()).toBe(rows)
    expect(JSON.stringify(nura.lines)).not.toContain('between us')
  })

  it('in a followed thread is answered without a mention, an edit anew, and a deletion takes the answer away', async () => {
    const opening = messageActivity({ text: 'where is it?', id: '1700000000200' })
    nura.directory.messages.set(`${teamsIds.channel}/1700000000200`, [])
    await nura.send(opening)
    await nura.idle()
    const followUp = messageActivity({ text: 'and where is the other one?', mentioned: false, thread: '1700000000200' })
    await nura.send(followUp)
    await nura.idle()
    expect(asked()).toHaveLength(2)
    expect(spoken()).toHaveLength(2)
    await nura.send(changeActivity(followUp, { text: 'and where is the third one?' }))
    await nura.idle()
    expect(nura.server.asked.at(-1)?.question).toBe('and where is the third one?')
    await nura.send(changeActivity(followUp, 'delete'))
    await nura.idle()
    expect(spoken()).toHaveLength(1)
  })

  it('brings what was said before along, where the installation may read it', async () => {
    const said = { id: '1700000000300', messageType: 'message', from: { user: { id: 'x', tenantId: teamsIds.directory } }, body: { contentType: 'text', content: 'the build is red' } }
    nura.directory.messages.set(`${teamsIds.channel}/1700000000300`, [said])
    nura.directory.messages.set(`${teamsIds.channel}/1700000000300/replies`, [])
    await nura.send(messageActivity({ text: 'why is that?', thread: '1700000000300' }))
    await nura.idle()
    expect(asked().at(-1)?.context?.map(({ text }) => text)).toEqual(['the build is red'])
    expect(nura.directory.requests.find(({ path }) => path.includes('/graph/'))?.token).toContain(`${teamsIds.directory} ${new URL(nura.directory.graphUrl).origin}/.default`)
  })

  it('whose readers cannot be told is refused before anything is asked', async () => {
    await nura.send(messageActivity({ where: 'groupChat', text: 'where?' }))
    await nura.idle()
    for (let run = 1; run < 3; run++) {
      expect(spoken()).toEqual([])
      const [row] = await db.control((tx) => tx.query<{ id: string }>(`select id from inbox where state = 'accepted' and tenant_id = $1`, [nura.tenant.id]))
      await nura.runTurn(row!.id)
    }
    expect(spoken().map(({ text }) => text)).toEqual([expect.stringContaining('could not check')])
    expect(asked()).toEqual([])
  })

  it('in a group chat where much was said since stands above its answer', async () => {
    nura.directory.members.set(teamsIds.chat, [{ id: '29:a', aadObjectId: teamsIds.alice, tenantId: teamsIds.directory, userRole: 'user' }])
    nura.directory.messages.set(teamsIds.chat, [])
    const queue = nura.hold()
    await nura.send(messageActivity({ where: 'groupChat', text: 'where is [it](https://evil.example)?' }))
    for (let said = 0; said < 11; said++) await nura.send(messageActivity({ where: 'groupChat', text: `something else ${said}`, mentioned: false }))
    queue.release()
    await nura.idle()
    await nura.send(messageActivity({ where: 'groupChat', text: 'and that?' }))
    await nura.idle()
    expect(spoken().map(({ text }) => text)).toEqual(['> where is it?\n\nSignatures are verified in `verify` [1].', 'Signatures are verified in `verify` [1].'])
  })
})

describe('a click', () => {
  const votes = () => nura.server.requests.filter(({ path }) => path.endsWith('/feedback'))
  const ask = async (id: string) => {
    await nura.send(messageActivity({ text: 'where is it?', id }))
    await nura.idle()
    return await lastReply()
  }

  it('on a vote finds the reply that its message shows, and is thanked for by Teams alone', async () => {
    const { message } = await ask('1700000000400')
    const response = await nura.send(clickActivity({ reaction: 'dislike' }, { message, thread: '1700000000400' }))
    expect([response.status, await response.json()]).toEqual([200, {}])
    await nura.idle()
    expect(votes().at(-1)?.body).toEqual({ verdict: 'down' })
    expect(spoken()).toHaveLength(1)
    expect((await nura.outcomes()).at(-1)).toEqual({ kind: 'action', outcome: 'feedback' })
  })

  it('on a vote in another thread finds nothing there', async () => {
    const { message } = await ask('1700000000500')
    const given = votes().length
    await nura.send(clickActivity({ reaction: 'like' }, { message, thread: '1700000000501' }))
    await nura.idle()
    expect(votes()).toHaveLength(given)
    expect((await nura.outcomes()).at(-1)).toEqual({ kind: 'action', outcome: 'refused:not-here' })
  })

  it('is answered at once and carried out once, with what it says as a reply in the thread', async () => {
    const { id, message } = await ask('1700000000600')
    const click = clickActivity({ verb: 'why', value: id }, { message, thread: '1700000000600' })
    const response = await nura.send(click)
    expect([response.status, await response.json()]).toEqual([200, { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'I am on it.' }])
    await nura.send(click)
    await nura.idle()
    expect(spoken()).toEqual([expect.anything(), { conversation: `${teamsIds.channel};messageid=1700000000600`, text: expect.stringMatching(/^\*\*Passages considered, with scores\*\*\n1\. [^]*Agent: dev/) }])
  })

  it('tells the answer again as another agent tells it, once, below it', async () => {
    const { id, message } = await ask('1700000000700')
    const click = () => nura.send(clickActivity({ verb: 'lens', value: `architect ${id}` }, { message, thread: '1700000000700', from: teamsIds.bob }))
    await click()
    await nura.idle()
    await click()
    await nura.idle()
    expect(asked()).toMatchObject([{}, { agent: 'architect', retell: expect.stringMatching(/^answer-/), audience: { kind: 'channel' } }])
    expect(spoken()).toHaveLength(2)
  })

  it('by another than the asker does not ask again, and in a personal chat is answered there', async () => {
    nura.directory.members.set(teamsIds.personal, [{ id: '29:a', aadObjectId: teamsIds.alice, tenantId: teamsIds.directory, userRole: 'user' }])
    nura.server.script = () => [{ kind: 'error', code: 'model-timeout', message: 'No.', retryable: true, ref: '7F3A91' }]
    await nura.send(messageActivity({ where: 'personal', text: 'where is it?' }))
    await nura.idle()
    const { id, message } = await lastReply()
    await nura.send(clickActivity({ verb: 'retry', value: id }, { message, where: 'personal', from: teamsIds.bob }))
    await nura.idle()
    expect(spoken().at(-1)).toEqual({ conversation: teamsIds.personal, text: 'Only the person who asked can ask again.' })
    nura.server.script = (_, index) => shortAnswer(undefined, `answer-${index + 1}`)
    await nura.send(clickActivity({ verb: 'retry', value: id }, { message, where: 'personal' }))
    await nura.idle()
    expect(asked()).toHaveLength(2)
  })

  it('on what is gone says so, and one that nobody knows is ignored', async () => {
    await nura.send(clickActivity({ verb: 'recheck', value: 'x' }, { message: '1', where: 'personal' }))
    await nura.idle()
    await nura.send(clickActivity({ verb: 'launch', value: 'x' }, { message: '1', where: 'personal' }))
    await nura.idle()
    expect(spoken().map(({ text }) => text)).toEqual(['That answer is no longer kept.'])
    expect((await nura.outcomes()).slice(-2).map(({ outcome }) => outcome)).toEqual(['refused:not-here', 'ignored:unknown-action'])
  })

  it('of a kind that is unknown is 501', async () => {
    expect((await nura.send({ ...clickActivity({ verb: 'why', value: 'x' }, { message: '1' }), name: 'composeExtension/query' })).status).toBe(501)
  })
})

describe('where many directories are served', () => {
  const inDirectory = (directory: string) => ({ where: 'personal' as const, directory })
  const lives = (directory: string) => many.directory.members.set(teamsIds.personal, [{ id: '29:a', aadObjectId: teamsIds.alice, tenantId: directory, userRole: 'user' }])

  it('a directory that nobody knows is not answered until it installs Nura, and then has a tenant of its own', async () => {
    const rows = await countRows()
    await many.send(messageActivity({ ...inDirectory('dir-new'), text: 'hello?' }))
    await many.idle()
    expect(await countRows()).toBe(rows)
    await many.send(installationActivity('add', inDirectory('dir-new')))
    const tenantId = await findWorkspaceTenant(db, { surface: 'teams', id: 'dir-new' })
    expect(tenantId).not.toBeNull()
    expect(tenantId).not.toBe(many.tenant.id)
    lives('dir-new')
    await many.send(messageActivity({ ...inDirectory('dir-new'), text: 'hello?' }))
    await many.idle()
    expect(await many.outcomes(tenantId!)).toEqual([{ kind: 'message', outcome: 'answered' }])
    expect(asked(many)).toMatchObject([{ audience: { kind: 'person', id: `teams:dir-new:${teamsIds.alice}` } }])
  })

  it('a directory that an operator connected belongs to that tenant', async () => {
    const acme = await createTestTenant(db)
    await connectWorkspace(db, acme.id, { surface: 'teams', id: 'dir-acme' })
    lives('dir-acme')
    await many.send(messageActivity({ ...inDirectory('dir-acme'), text: 'hello?' }))
    await many.idle()
    expect(await many.outcomes(acme.id)).toEqual([{ kind: 'message', outcome: 'answered' }])
  })

  it('what was asked before Nura was taken out ends as uninstalled, and nothing is shown', async () => {
    await many.send(installationActivity('add', inDirectory('dir-gone')))
    const tenantId = (await findWorkspaceTenant(db, { surface: 'teams', id: 'dir-gone' }))!
    lives('dir-gone')
    const queue = many.hold()
    await many.send(messageActivity({ ...inDirectory('dir-gone'), text: 'hello?' }))
    await many.send(clickActivity({ verb: 'why', value: 'x' }, { ...inDirectory('dir-gone'), message: '1' }))
    await many.send(installationActivity('remove', inDirectory('dir-gone')))
    queue.release()
    await many.idle()
    expect(await many.outcomes(tenantId)).toEqual([{ kind: 'message', outcome: 'uninstalled' }, { kind: 'action', outcome: 'uninstalled' }])
    expect(spoken(many)).toEqual([])
  })

  it('a message that was sent before a removal and comes after it is ignored; one sent later says that Nura is back', async () => {
    await many.send(installationActivity('add', inDirectory('dir-race')))
    const early = messageActivity({ ...inDirectory('dir-race'), text: 'hello?' })
    await many.send(installationActivity('remove', inDirectory('dir-race')))
    const rows = await countRows()
    await many.send(early)
    expect(await countRows()).toBe(rows)
    expect(await findTeamsInstallation(db, { directoryId: 'dir-race', scopeId: teamsIds.personal })).toBeNull()
    await many.send(messageActivity({ ...inDirectory('dir-race'), text: 'hello again?' }))
    expect(await countRows()).toBe(rows! + 1)
    await many.idle()
  })

  it('an installation of one team is not ended by the removal from a chat', async () => {
    await many.send(installationActivity('add', { directory: 'dir-two' }))
    await many.send(installationActivity('add', inDirectory('dir-two')))
    await many.send(installationActivity('remove', inDirectory('dir-two')))
    expect(await findTeamsInstallation(db, { directoryId: 'dir-two', scopeId: teamsIds.team })).not.toBeNull()
    expect(await findTeamsInstallation(db, { directoryId: 'dir-two', scopeId: teamsIds.personal })).toBeNull()
  })
})

describe('readiness', () => {
  it('is there when the identity provider gives a token', async () => {
    await expect(nura.platform.ready()).resolves.toBeUndefined()
  })
})

/** What a person reads of a message and its card, top to bottom. */
function toVisible({ text = '', attachments = [] }: Pick<Sent, 'text' | 'attachments'>): string {
  const texts = (value: unknown): string[] => {
    if (Array.isArray(value)) return value.flatMap(texts)
    if (typeof value !== 'object' || value === null) return []
    return Object.entries(value).flatMap(([key, inner]) => (key === 'fallback' ? [] : key === 'inlines' ? [texts(inner).join('')] : typeof inner === 'string' ? (['text', 'title', 'value', 'url'].includes(key) ? [inner] : []) : texts(inner)))
  }
  return [text, ...texts(attachments.map(({ content }) => content))].join('\n')
}

platformContract('teams', async () => {
  const own = await openTestTeams(db)
  own.directory.members.set(teamsIds.personal, [{ id: '29:a', aadObjectId: teamsIds.alice, tenantId: teamsIds.directory, userRole: 'user' }])
  /** What is shown in the personal chat by what follows. */
  const shownBy = async (run: () => Promise<unknown>) => {
    const known = new Set(own.connector.seen().map(({ id }) => id))
    await run()
    await own.idle()
    return own.connector.seen(teamsIds.personal).filter(({ id }) => !known.has(id)).map(({ activity }) => toVisible(activity))
  }
  const ask = () => own.send(messageActivity({ where: 'personal', text: 'what is it?' }))
  return {
    async render(parts) {
      own.server.script = () => parts
      const calls = own.connector.calls.length
      const visible = await shownBy(ask)
      return { visible, steps: own.connector.calls.length - calls }
    },
    inbox: {
      tell: async (times) => {
        own.server.script = () => shortAnswer()
        const activity = messageActivity({ where: 'personal', text: 'what is it?' })
        return await shownBy(() => Promise.all(Array.from({ length: times }, () => own.send(activity))))
      },
      tellAsSelf: () => shownBy(() => own.send(messageActivity({ where: 'personal', text: 'hello' }, { from: { id: teamsIds.bot, name: 'Nura', role: 'bot' } }))),
      async outdate() {
        own.server.script = () => shortAnswer(undefined, 'teams-outdated')
        const known = new Set(own.connector.seen().map(({ id }) => id))
        await ask()
        await own.idle()
        const seen = () => own.connector.seen(teamsIds.personal).filter(({ id }) => !known.has(id)).map(({ activity }) => toVisible(activity))
        const shown = seen()
        const row = await findByAnswer(db, own.tenant.id, 'teams-outdated')
        const { place } = row!.payload as Message
        const { id } = await accept(db, { tenantId: own.tenant.id, surface: 'teams', kind: 'outdated', eventKey: 'outdated:teams', threadKey: row!.threadKey, payload: { kind: 'outdated', place, id: 'teams-outdated', inboxId: row!.id, sha: '9f8e7d6c5b' } })
        await own.runTurn(id)
        return { before: shown, after: seen() }
      },
      outcomes: async () => (await own.outcomes()).map(({ outcome }) => outcome),
    },
    close: own.close,
  }
})

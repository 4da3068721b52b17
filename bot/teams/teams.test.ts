import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { findTeamsInstallation } from '#db/shared/teams-installations.ts'
import { connectWorkspace, findWorkspaceTenant } from '#db/shared/workspaces.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Action, Admission, Delivered } from '../platform.ts'
import { openTestTeams } from '../testing/open-test-teams.ts'
import type { TestTeams } from '../testing/open-test-teams.ts'
import { changeActivity, claimsFor, clickActivity, installationActivity, messageActivity, teamsIds } from '../testing/teams-activity.ts'
import type { Activity } from '../testing/teams-activity.ts'
import type { Voice } from './index.ts'

type Spoken = { connector: string; conversation: string; text: string }
type Heard = { connector: string; botId: string; inboxId: string; admission: Admission; lines: string[] }

/** Speaks into a list instead of Teams: what is tested here is what comes in, and where it would be answered. */
function createVoice() {
  const spoken: Spoken[] = []
  const heard: Heard[] = []
  const clicks: Action[] = []
  const voice: Voice<string> = {
    createConnector: ({ serviceUrl }) => serviceUrl,
    createConversation: ({ connector, incoming, inboxId, shown, botId, admit, readContext }) => {
      const say = async (text: string) => void spoken.push({ connector, conversation: incoming.place.channel, text })
      let admission: Admission = { ok: false, reason: 'not asked', say: '' }
      let lines: string[] = []
      return {
        admit: async () => (admission = await admit()),
        context: async () => {
          const context = await readContext()
          lines = [...context.lines.map(({ text }) => text), ...context.unread]
          return context
        },
        status: () => undefined,
        clear: async () => undefined,
        async deliver(parts: AsyncIterable<AnswerPart>): Promise<Delivered> {
          heard.push({ connector, botId, inboxId, admission, lines })
          let text = ''
          for await (const part of parts) {
            if (part.kind === 'text') text += part.markdown
            if (part.kind !== 'done') continue
            await say(text)
            await shown.save([`shown-${inboxId}`])
            return { outcome: 'answered', answerId: part.answerId, agent: 'dev' }
          }
          throw new NuraError('stream-ended', 'No end.')
        },
        say,
        whisper: say,
        offerRerun: async () => undefined,
        noteOutdated: async () => undefined,
        retract: async () => void spoken.push({ connector, conversation: incoming.place.channel, text: '(retracted)' }),
      }
    },
    async actOnReply(_parts, action) {
      clicks.push(action)
      if (action.name === 'why') return { outcome: 'why', why: { passages: ['src/<b>.ts'], facts: ['a fact'] } }
      if (action.name === 'retry') return { outcome: 'refused:not-the-asker', say: 'Only the person who asked can ask again.' }
      if (action.name === 'recheck') throw new NuraError('not-found', 'No such answer.')
      return action.name === 'feedback' ? { outcome: 'feedback', say: 'Thank you, noted.' } : null
    },
    plain: (text) => text.replace('<', '('),
    send: async (connector, conversation, text) => void spoken.push({ connector, conversation, text }),
    isFinal: () => false,
    isGone: () => false,
  }
  return { spoken, heard, clicks, voice }
}

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestTeams
let many: TestTeams
const one = createVoice()
const other = createVoice()
beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  db = await openTestDb()
  nura = await openTestTeams(db, one.voice)
  many = await openTestTeams(db, other.voice, { multi: true })
  for (const { directory } of [nura, many]) directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
})
beforeEach(() => {
  for (const list of [one.spoken, one.heard, one.clicks, other.spoken, other.heard]) list.length = 0
})
afterAll(async () => {
  vi.restoreAllMocks()
  await nura?.close()
  await many?.close()
  await db?.close()
})

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
    const activity = { ...question(), serviceUrl: nura.directory.serviceUrl }
    const [rows, calls] = [await countRows(), nura.directory.requests.length]
    for (const sent of [activity, { ...installationActivity('add'), serviceUrl: nura.directory.serviceUrl }]) expect((await post(JSON.stringify(sent), await sign(sent))).status).toBe(401)
    await nura.idle()
    expect(await countRows()).toBe(rows)
    expect(nura.directory.requests).toHaveLength(calls)
    expect(one.spoken).toEqual([])
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
    expect(one.spoken).toEqual([{ connector: nura.directory.serviceUrl, conversation: teamsIds.channel, text: 'Signatures are verified in `verify` [1].' }])
    expect(one.heard).toMatchObject([{ botId: teamsIds.bot, admission: { ok: true, audience: { kind: 'channel', id: `teams:${teamsIds.directory}:${teamsIds.channel}` } } }])
  })

  it('is 503 when it cannot be stored, so that Teams sends it again', async () => {
    const broken = await openTestTeams(db, createVoice().voice, { receive: () => Promise.reject(new Error('the database is away')) })
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
    const fresh = await openTestTeams(db, createVoice().voice)
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
    expect(one.heard).toHaveLength(2)
    await nura.send(changeActivity(followUp, { text: 'and where is the third one?' }))
    await nura.idle()
    expect(nura.server.asked.at(-1)?.question).toBe('and where is the third one?')
    await nura.send(changeActivity(followUp, 'delete'))
    await nura.idle()
    expect(one.spoken.at(-1)?.text).toBe('(retracted)')
  })

  it('brings what was said before along, where the installation may read it', async () => {
    const said = { id: '1700000000300', messageType: 'message', from: { user: { id: 'x', tenantId: teamsIds.directory } }, body: { contentType: 'text', content: 'the build is red' } }
    nura.directory.messages.set(`${teamsIds.channel}/1700000000300`, [said])
    nura.directory.messages.set(`${teamsIds.channel}/1700000000300/replies`, [])
    await nura.send(messageActivity({ text: 'why is that?', thread: '1700000000300' }))
    await nura.idle()
    expect(one.heard.at(-1)?.lines).toEqual(['the build is red'])
    expect(nura.directory.requests.find(({ path }) => path.includes('/graph/'))?.token).toContain(`${teamsIds.directory} ${new URL(nura.directory.graphUrl).origin}/.default`)
  })

  it('whose readers cannot be told is refused before anything is asked', async () => {
    const asked = nura.server.asked.length
    await nura.send(messageActivity({ where: 'groupChat', text: 'where?' }))
    await nura.idle()
    expect(one.spoken.map(({ text }) => text)).toEqual([expect.stringContaining('could not check')])
    expect(nura.server.asked).toHaveLength(asked)
  })
})

describe('a click', () => {
  it('on a vote finds the reply that its message shows, and is thanked for by Teams alone', async () => {
    await nura.send(messageActivity({ text: 'where is it?', id: '1700000000400' }))
    await nura.idle()
    const inboxId = one.heard[0]!.inboxId
    const response = await nura.send(clickActivity({ reaction: 'dislike' }, { message: `shown-${inboxId}`, thread: '1700000000400' }))
    expect([response.status, await response.json()]).toEqual([200, {}])
    await nura.idle()
    expect(one.clicks.at(-1)).toMatchObject({ name: 'feedback', value: `down ${inboxId}`, author: teamsIds.alice })
    expect(one.spoken).toHaveLength(1)
    expect((await nura.outcomes()).at(-1)).toEqual({ kind: 'action', outcome: 'feedback' })
  })

  it('on a vote in another thread finds nothing there', async () => {
    await nura.send(messageActivity({ text: 'where is it?', id: '1700000000500' }))
    await nura.idle()
    await nura.send(clickActivity({ reaction: 'like' }, { message: `shown-${one.heard[0]!.inboxId}`, thread: '1700000000501' }))
    await nura.idle()
    expect(one.clicks.at(-1)).toMatchObject({ value: 'up ' })
  })

  it('is answered at once and carried out once, with what it says as a reply in the thread', async () => {
    const click = clickActivity({ verb: 'why', value: 'x' }, { message: '1700000000601', thread: '1700000000600' })
    const response = await nura.send(click)
    expect([response.status, await response.json()]).toEqual([200, { statusCode: 200, type: 'application/vnd.microsoft.activity.message', value: 'I am on it.' }])
    await nura.send(click)
    await nura.idle()
    expect(one.spoken).toEqual([{ connector: nura.directory.serviceUrl, conversation: `${teamsIds.channel};messageid=1700000000600`, text: '**Passages considered, with scores**\n1. src/(b>.ts\n- a fact' }])
  })

  it('in a personal chat is answered there', async () => {
    await nura.send(clickActivity({ verb: 'retry', value: 'x' }, { message: '1', where: 'personal' }))
    await nura.idle()
    expect(one.spoken).toEqual([{ connector: nura.directory.serviceUrl, conversation: teamsIds.personal, text: 'Only the person who asked can ask again.' }])
  })

  it('that fails says so, and one that nobody knows is ignored', async () => {
    await nura.send(clickActivity({ verb: 'recheck', value: 'x' }, { message: '1', where: 'personal' }))
    await nura.idle()
    await nura.send(clickActivity({ verb: 'launch', value: 'x' }, { message: '1', where: 'personal' }))
    await nura.idle()
    expect(one.spoken.map(({ text }) => text)).toEqual(['That answer is no longer kept.'])
    expect((await nura.outcomes()).slice(-2).map(({ outcome }) => outcome)).toEqual(['failed:not-found', 'ignored:unknown-action'])
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
    expect(other.heard).toMatchObject([{ admission: { audience: { kind: 'person', id: `teams:dir-new:${teamsIds.alice}` } } }])
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
    expect(other.spoken).toEqual([])
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

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { findDocument, readOriginal, storeDocument } from '#db/tenant/documents.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createCore } from '#server/create-core.ts'
import type { Core } from '#server/create-core.ts'
import { readServerConfig } from '#server/config.ts'
import { extractInThread } from '#server/documents/extract-in-thread.ts'
import { openLibrary } from '#server/documents/open-library.ts'
import { readDocument as readStored } from '#server/documents/read-document.ts'
import { makeDocx } from '#server/testing/make-docx.ts'
import { makePdf } from '#server/testing/make-pdf.ts'
import { openTestServer, signToken } from '#server/testing/open-test-server.ts'
import type { TestServer } from '#server/testing/open-test-server.ts'
import { readDocument } from './read-document.ts'
import { sweepDocuments } from './sweep-documents.ts'
import { syncRepository } from './sync-repository.ts'
import { jobContract } from './testing/job-contract.ts'

let db: Db
let server: TestServer
let core: Core
beforeAll(async () => {
  db = await openTestDb()
  server = await openTestServer(db)
  core = createCore({ ...server.parts, config: readServerConfig({}), githubConfig: null })
  Object.assign(server.parts, { answer: core.answer, search: core.search, openSource: core.openSource })
})
afterAll(async () => {
  await server.close()
  await db.close()
})

const context = { attempt: 1, lastAttempt: true, signal: new AbortController().signal }
const toParts = () => ({ ...server.parts, ...core })

type Reply = { status: number; json: Record<string, never> & { [key: string]: unknown } }

/** A person of a tenant who gives documents; `work` runs the jobs that are queued until none is left. */
async function open(tenant?: TenantDb) {
  const of = tenant ?? (await createTestTenant(db))
  async function call(method: string, path: string, body?: FormData | Buffer | object, type?: string): Promise<Reply> {
    const isRaw = body === undefined || body instanceof FormData || Buffer.isBuffer(body)
    const headers = { authorization: `Bearer ${await signToken(of)}`, ...(isRaw ? (type ? { 'content-type': type } : {}) : { 'content-type': 'application/json' }) }
    const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body: isRaw ? (body as FormData) : JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Reply['json']) }
  }
  function give(name: string, bytes: Buffer | string, fields: Record<string, string> = {}): Promise<Reply> {
    const form = new FormData()
    for (const [key, value] of Object.entries(fields)) form.append(key, value)
    form.append('file', new Blob([new Uint8Array(Buffer.from(bytes))]), name)
    return call('POST', '/v1/documents', form)
  }
  async function work(): Promise<string[]> {
    const done: string[] = []
    for (;;) {
      const at = server.queued.findIndex(({ payload }) => (payload as { tenantId: string }).tenantId === of.id)
      if (at === -1) return done
      const [{ name, payload }] = server.queued.splice(at, 1) as [{ name: string; payload: object }]
      done.push(name)
      const job = name === 'read-document' ? readDocument : syncRepository
      await job.run(payload as never, toParts() as never, context)
    }
  }
  const find = async (question: string, more: object = {}) => (await call('POST', '/v1/search', { question, limit: 5, ...more })).json.passages as unknown as { path: string; repository: string; content: string; sha: string }[]
  return { tenant: of, call, give, work, find }
}

describe('a document', () => {
  it('is given, read, found, cited by its title and address, replaced and removed', async () => {
    const { tenant, call, give, work, find } = await open()
    const pdf = await makePdf([['Refunds are paid within ten working days of the return.'], []])
    const given = await give('Refund policy.pdf', pdf, { title: 'Refunds', url: 'https://intranet.example/refunds' })
    expect(given).toMatchObject({ status: 202, json: { name: 'Refund policy.pdf', title: 'Refunds', library: 'documents', contentType: 'business', state: 'stored', size: pdf.length } })
    const id = given.json.id as unknown as string
    expect((await readOriginal(tenant, id))?.equals(pdf)).toBe(true)

    expect(await work()).toEqual(['read-document', 'sync-repository'])
    expect((await call('GET', `/v1/documents/${id}`)).json).toMatchObject({ state: 'partial', pages: 2, unread: [{ page: 2 }], error: null })
    expect(await readOriginal(tenant, id)).toBeNull()

    const answer = await call('POST', '/v1/ask', { question: 'Within how many working days are refunds paid?', agent: 'pm' })
    expect(answer.json.citations).toMatchObject([{ repository: 'documents', path: 'Refund policy.pdf', title: 'Refunds', url: 'https://intranet.example/refunds', sha: expect.stringMatching(/^[0-9a-f]{40}$/) as string, changedAt: expect.any(String) as string }])
    const [found] = await find('refunds working days')
    expect(found).toMatchObject({ path: 'Refund policy.pdf', content: expect.stringContaining('ten working days') as string })

    // Other bytes under the name are its new version; until they are read, the earlier text answers.
    expect((await give('Refund policy.pdf', await makePdf([['Refunds are paid within thirty days.']]))).json).toMatchObject({ id, state: 'stored' })
    expect((await find('refunds working days'))[0]?.content).toContain('ten working days')
    await work()
    expect((await find('refunds paid'))[0]?.content).toContain('thirty days')
    expect(JSON.stringify(await find('refunds working days'))).not.toContain('ten working days')

    // New bytes that cannot be read take nothing away.
    await give('Refund policy.pdf', await makePdf([[]]))
    await work()
    expect((await call('GET', `/v1/documents/${id}`)).json).toMatchObject({ state: 'failed', error: expect.stringMatching(/no text.*OCR.*earlier version still answers/s) as string, unread: [{ page: 1 }] })
    expect((await find('refunds paid'))[0]?.content).toContain('thirty days')

    expect((await call('DELETE', `/v1/documents/${id}`)).status).toBe(204)
    expect(await find('refunds paid')).toEqual([])
    expect((await call('GET', `/v1/documents/${id}`)).status).toBe(404)
    await work()
    expect(await find('refunds paid')).toEqual([])
  })

  it('of the same bytes is no second copy and no work', async () => {
    const { call, give, work } = await open()
    const first = await give('notes.md', '# Notes\n\nThe office is closed on Fridays.')
    await work()
    const again = await give('notes.md', '# Notes\n\nThe office is closed on Fridays.')
    expect(again).toMatchObject({ status: 202, json: { id: first.json.id, state: 'ready' } })
    expect(await work()).toEqual(['sync-repository'])
    expect((await call('GET', '/v1/documents')).json.documents).toHaveLength(1)
    expect((await call('GET', '/v1/repositories')).json.repositories).toMatchObject([{ name: 'documents', source: 'documents', state: 'ready', files: 1 }])
  })

  it('takes its name for nothing: what ends in .lock, .min.js or .pdf is read as what it is', async () => {
    const { give, work, find } = await open()
    await give('package-lock.json.md', 'The lock of the vault opens at nine.')
    await give('Release notes.pdf', await makePdf([['The vault was painted green.']]))
    await give('.nura.yml.txt', 'ignore: ["**"]')
    await give('Handbook.docx', await makeDocx(['# Vault', 'Only two people have the key of the vault.']))
    await work()
    expect((await find('vault')).map(({ path }) => path).sort()).toEqual(['Handbook.docx', 'Release notes.pdf', 'package-lock.json.md'])
  })

  it('that is long is searched in parts, which go with it', async () => {
    const { call, give, work, find } = await open()
    const paragraph = (page: number) => `## Chapter ${page}\n\nThe tariff of zone${page} is fixed. ${'It is paid each month by every customer of the zone. '.repeat(60)}\n\n`
    const { json } = await give('tariffs.md', Array.from({ length: 40 }, (_, page) => paragraph(page)).join(''))
    await work()
    const { files } = ((await call('GET', '/v1/repositories')).json.repositories as unknown as { files: number }[])[0]!
    expect(files).toBeGreaterThan(2)
    for (const page of [0, 20, 39]) expect((await find(`zone${page}`))[0]).toMatchObject({ path: expect.stringMatching(/^tariffs\.md \(part \d of \d\)$/) as string, content: expect.stringContaining(`zone${page} is fixed`) as string })
    await sweepDocuments.run({}, toParts() as never, context)
    expect(await work()).toEqual([])
    await call('DELETE', `/v1/documents/${String(json.id)}`)
    expect(await find('tariff zone20')).toEqual([])
  })

  it('may be sent as bare bytes', async () => {
    const { call, work, find } = await open()
    const sent = await call('POST', '/v1/documents?name=a%20b.html&library=acme%2Fwiki&contentType=documentation&title=Gate', Buffer.from('<p>The gate opens with a badge.</p><script>canary()</script>'), 'text/html')
    expect(sent).toMatchObject({ status: 202, json: { name: 'a b.html', title: 'Gate', library: 'acme/wiki', contentType: 'documentation' } })
    await work()
    const found = await find('gate badge', { repository: 'acme/wiki' })
    expect(found).toMatchObject([{ content: expect.stringContaining('opens with a badge') as string }])
    expect(JSON.stringify(found)).not.toContain('canary')
  })

  it('is another tenant\'s to nobody', async () => {
    const [one, other] = [await open(), await open()]
    const { json } = await one.give('secret.md', 'The merger is called Bluebird.')
    await one.work()
    for (const [method, path] of [['GET', `/v1/documents/${String(json.id)}`], ['DELETE', `/v1/documents/${String(json.id)}`]] as const) expect((await other.call(method, path)).status).toBe(404)
    expect((await other.call('GET', `/v1/documents?after=${String(json.id)}`)).json.documents).toEqual([])
    expect(await other.find('Bluebird merger')).toEqual([])
    expect(await one.find('Bluebird merger')).toHaveLength(1)
  })

  it('of a library that is granted to nobody answers nobody', async () => {
    const { give, work, find, call } = await open()
    await give('pay.md', 'The bonus is twelve percent.', { library: 'board', audience: 'granted' })
    await work()
    expect(await find('bonus percent')).toEqual([])
    expect((await give('pay.md', 'The bonus is thirteen percent.', { library: 'board', audience: 'tenant' })).json).toMatchObject({ error: { code: 'conflict', field: 'audience' } })
    expect((await call('GET', '/v1/repositories')).json.repositories).toMatchObject([{ name: 'board', audience: 'granted' }])
  })

  it.each([
    ['x.exe', 'MZ', {}, 415, 'unsupported-media-type'],
    ['x.md', '', {}, 400, 'empty-document'],
    ['x.pdf', 'text', {}, 415, 'unsupported-media-type'],
    ['x.md', 'text', { library: 'a b' }, 400, 'bad-input'],
    ['x.md', 'text', { url: 'http://x.example' }, 400, 'bad-input'],
    ['x.md', 'text', { tenant: 'other' }, 400, 'bad-input'],
    ['..', 'text', {}, 400, 'bad-input'],
  ] as const)('%s of %j with %j is refused', async (name, bytes, fields, status, code) => {
    const { call, give } = await open()
    expect(await give(name, bytes, fields)).toMatchObject({ status, json: { error: { code } } })
    expect((await call('GET', '/v1/documents')).json.documents).toEqual([])
  })

  it('that is too large is refused before it is read', async () => {
    const { tenant } = await open()
    const { request } = await import('node:http')
    const { port } = new URL(server.url)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      void signToken(tenant).then((token) => {
        const sending = request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/documents?name=x.pdf', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/pdf', 'content-length': 60 * 1024 * 1024 } }, (response) => {
          resolve(response.statusCode)
          response.resume()
          sending.destroy()
        })
        sending.on('error', reject)
        // Not one byte of it is sent.
        sending.flushHeaders()
      })
    })
    expect(status).toBe(413)
  })

  it.each([
    ['no boundary', 'multipart/form-data', Buffer.from('x')],
    ['the end missing', 'multipart/form-data; boundary=b', Buffer.from('--b\r\ncontent-disposition: form-data; name="file"; filename="x.md"\r\n\r\nhalf of it')],
    ['no file', 'multipart/form-data; boundary=b', Buffer.from('--b\r\ncontent-disposition: form-data; name="title"\r\n\r\nx\r\n--b--\r\n')],
  ])('in a form with %s is refused', async (_, type, body) => {
    const { call } = await open()
    expect(await call('POST', '/v1/documents', body, type)).toMatchObject({ status: 400, json: { error: { code: 'bad-form' } } })
  })

  it('that was kept while the queue was away is read all the same', async () => {
    const { tenant, give, work, find } = await open()
    await give('late.md', 'The late shift ends at ten.')
    server.queued.length = 0
    await sweepDocuments.run({}, toParts() as never, context)
    expect(await work()).toEqual(['read-document', 'sync-repository'])
    expect(await find('late shift')).toHaveLength(1)
    // A library whose index is behind is found too, and one that is not is left alone.
    const { id: repositoryId } = await openLibrary(tenant, { name: 'documents' })
    const { document } = await storeDocument(tenant, { repositoryId, name: 'early.md', title: 'Early', url: null, contentType: 'business', mediaType: 'text/markdown', bytes: Buffer.from('The early shift begins at six.') })
    await core.readDocument(tenant, document.id, context)
    await sweepDocuments.run({}, toParts() as never, context)
    expect(await work()).toEqual(['sync-repository'])
    expect((await find('when does the early shift begin'))[0]?.path).toBe('early.md')
    await sweepDocuments.run({}, toParts() as never, context)
    expect(await work()).toEqual([])
  })

  it('of which a new version comes while the old one is read is what is new', async () => {
    const { tenant, give } = await open()
    const { json } = await give('race.md', 'Old text.')
    const id = json.id as unknown as string
    const slow: typeof extractInThread = async (request) => {
      await give('race.md', 'New text.')
      return extractInThread(request)
    }
    expect(await readStored(server.parts, tenant, id, { read: slow })).toMatchObject({ state: 'stored', hasText: false })
    expect((await readOriginal(tenant, id))?.toString()).toBe('New text.')
    expect(await readStored(server.parts, tenant, id)).toMatchObject({ state: 'ready' })
    const [row] = await tenant.transaction((tx) => tx.query('select text from document where id = $1', [id]))
    expect(row).toEqual({ text: 'New text.' })
  })

  it('that many give at once under one name is one', async () => {
    const { call, give, work, find } = await open()
    const given = await Promise.all(Array.from({ length: 6 }, () => give('same.md', 'All of us say that lunch is at noon.')))
    expect(new Set(given.map(({ status, json }) => `${status} ${String(json.id)}`)).size).toBe(1)
    await work()
    expect((await call('GET', '/v1/documents')).json.documents).toHaveLength(1)
    expect(await find('when is lunch')).toHaveLength(1)
  })

  it('that takes its process down three times is given up', async () => {
    const { tenant, give } = await open()
    const { json } = await give('poison.md', 'text')
    const id = json.id as unknown as string
    await tenant.transaction((tx) => tx.execute('update document set attempts = 3 where id = $1', [id]))
    expect(await core.readDocument(tenant, id, context)).toMatchObject({ state: 'failed', error: expect.stringMatching(/3 tries/) as string })
    // A try that a stop cut off does not count.
    await give('fine.md', 'text')
    const fine = (await tenant.transaction((tx) => tx.query<{ id: string }>(`select id from document where name = 'fine.md'`)))[0]!
    await expect(core.readDocument(tenant, fine.id, { signal: AbortSignal.abort(new Error('stopping')) })).rejects.toThrow('stopping')
    expect(await findDocument(tenant, fine.id)).toMatchObject({ state: 'stored', attempts: 0 })
  })
})

jobContract(readDocument, async () => {
  const tenant = await createTestTenant(db)
  const { id: repositoryId } = await openLibrary(tenant, { name: 'documents' })
  const { document } = await storeDocument(tenant, { repositoryId, name: 'a.md', title: 'A', url: null, contentType: 'business', mediaType: 'text/markdown', bytes: Buffer.from('Some text.') })
  return { payload: { tenantId: tenant.id, documentId: document.id }, parts: { ...toParts(), enqueue: async () => undefined } as never, picture: () => findDocument(tenant, document.id) }
})

jobContract(sweepDocuments, async () => {
  const tenant = await createTestTenant(db)
  const { id: repositoryId } = await openLibrary(tenant, { name: 'documents' })
  await storeDocument(tenant, { repositoryId, name: 'a.md', title: 'A', url: null, contentType: 'business', mediaType: 'text/markdown', bytes: Buffer.from('Some text.') })
  const queued = new Set<string>()
  const enqueue = async (name: string, payload: { tenantId: string }) => void (payload.tenantId === tenant.id && queued.add(name))
  return { payload: {}, parts: { ...server.parts, enqueue } as never, picture: async () => [...queued] }
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { finishDocument, removeDocument, storeDocument } from '#db/tenant/documents.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { openLibrary } from '../documents/open-library.ts'
import { documentSourceContract } from '../testing/document-source-contract.ts'
import { confluenceCredentials, startFakeConfluence } from '../testing/fake-confluence.ts'
import { jiraCredentials, startFakeJira, toAdf } from '../testing/fake-jira.ts'
import { notionCredentials, startFakeNotion, toBlocks } from '../testing/fake-notion.ts'
import { createConfluenceSource } from './confluence.ts'
import { createDocumentsSource } from './documents.ts'
import { createJiraSource } from './jira.ts'
import { createNotionSource } from './notion.ts'
import { createOpenSite } from './site.ts'
import type { Source } from './source.ts'

const openSite = (base: string, name: string, credentials: { token: string; user?: string }) => createOpenSite({ hosts: [new URL(base).host] })({ name, base, credentials: async () => credentials })
const toStorage = (text: string) => text.split('\n\n').map((paragraph) => `<p>${paragraph}</p>`).join('')

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

async function openConfluence() {
  const fake = await startFakeConfluence()
  const open = () => createConfluenceSource(openSite(fake.base, 'Confluence', confluenceCredentials), { place: 'ENG', contentType: 'documentation' })
  return { fake, open }
}

async function openJira() {
  const fake = await startFakeJira()
  const open = () => createJiraSource(openSite(fake.url, 'Jira', jiraCredentials), { place: 'SHOP', contentType: 'documentation' })
  return { fake, open }
}

async function openNotion() {
  const fake = await startFakeNotion()
  const open = (now?: () => number) => createNotionSource(openSite(fake.url, 'Notion', notionCredentials), { contentType: 'documentation' }, now)
  return { fake, open }
}

/** Every text of a source by the path of its document. */
async function readAll(source: Source): Promise<Record<string, string>> {
  const tree = (await source.tree((await source.head()).sha)).filter(({ kept }) => !kept)
  const texts: Record<string, string> = {}
  let next = 0
  for await (const { bytes } of source.read(tree.map(({ blobSha }) => blobSha))) texts[tree[next++]!.path] = bytes.toString()
  return texts
}

describe('a library of documents', () => {
  documentSourceContract(async () => {
    const tenant = await createTestTenant(db)
    const { id: repositoryId } = await openLibrary(tenant, { name: 'documents' })
    const names = new Map<string, string>()
    async function give(name: string, title: string, text: string): Promise<string> {
      const { document } = await storeDocument(tenant, { repositoryId, name, title, url: 'https://intranet.example/x', contentType: 'documentation', mediaType: 'text/plain', bytes: Buffer.from(text) })
      await finishDocument(tenant, document, { text, pages: null, faults: [] })
      return document.id
    }
    return {
      async add(title, text) {
        const name = title === '..' || title === '.' ? 'dots' : title.replace(/[/\t]/g, ' ')
        const id = await give(name, title, text)
        names.set(id, name)
        return id
      },
      edit: async (id, text) => void (await give(names.get(id)!, names.get(id)!, text)),
      remove: async (id) => void (await removeDocument(tenant, id)),
      open: () => createDocumentsSource(tenant, { id: repositoryId, name: 'documents' }),
      close: async () => undefined,
    }
  })
})

describe('Confluence', () => {
  documentSourceContract(async () => {
    const { fake, open } = await openConfluence()
    return {
      add: async (title, text) => fake.add(title, toStorage(text)),
      edit: async (id, text) => fake.change(id, { storage: toStorage(text) }),
      rename: async (id, title) => fake.change(id, { title }),
      remove: async (id) => void fake.pages.delete(id),
      restrict: async (id) => void fake.pages.get(id)!.readers.push('ceo'),
      site: fake,
      open,
      close: fake.close,
    }
  })

  async function within(run: (at: Awaited<ReturnType<typeof openConfluence>>) => Promise<void>) {
    const at = await openConfluence()
    await run(at).finally(at.fake.close)
  }

  it('tells pages by their place, and a page that is put elsewhere is not read again', () =>
    within(async ({ fake, open }) => {
      const [home, other] = [fake.add('Home', '<p>Home.</p>'), fake.add('Other', '<p>Other.</p>')]
      const page = fake.add('Runbook', '<p>Restart it.</p>', home)
      const before = open()
      const tree = await before.tree((await before.head()).sha)
      expect(tree.map(({ path }) => path)).toEqual(['Home', 'Home/Runbook', 'Other'])
      fake.change(page, { parent: other })
      const after = open()
      const moved = await after.tree((await after.head()).sha)
      expect(moved.map(({ path }) => path)).toEqual(['Home', 'Other', 'Other/Runbook'])
      expect(moved.at(-1)?.blobSha).toBe(tree[1]?.blobSha)
    }))

  it('leaves out what is below a restricted page, and below anything of which it cannot tell', () =>
    within(async ({ fake, open }) => {
      const board = fake.add('Board', '<p>x</p>')
      const below = fake.add('Minutes', '<p>x</p>', board)
      fake.add('Minutes of May', '<p>x</p>', below)
      const folder = fake.add('Folder', '', undefined, 'folder')
      fake.add('In a folder', '<p>x</p>', folder)
      fake.add('Open', '<p>x</p>')
      fake.pages.get(board)!.readers.push('chair')
      expect(Object.keys(await readAll(open()))).toEqual(['Folder/In a folder', 'Open'])
      fake.pages.get(folder)!.readers.push('chair')
      expect(Object.keys(await readAll(open()))).toEqual(['Open'])
      fake.fault = { kind: 'status', status: 403, match: /byOperation/ }
      fake.pages.get(folder)!.readers.length = 0
      expect(Object.keys(await readAll(open()))).toEqual(['Open'])
      fake.tellsRestrictions = false
      expect(await readAll(open())).toEqual({})
    }))

  it('names the space and what to grant when it may not be seen', () =>
    within(async ({ fake, open }) => {
      fake.add('Open', '<p>x</p>')
      fake.space = null
      for (const ask of [() => open().head(), () => open().check!()]) {
        await expect(ask()).rejects.toMatchObject({ code: 'source-forbidden', retryable: false, message: expect.stringMatching(/space ENG.*permission "View"/) as string })
      }
    }))

  it('reads headings, macros, code, tables, tasks and links, and nothing that is hidden', () =>
    within(async ({ fake, open }) => {
      fake.add(
        'Everything',
        `<h1>Setup&nbsp;guide</h1><p>See <ac:link><ri:page ri:content-title="Runbook"/></ac:link> &amp; <ac:link><ri:page ri:content-title="X"/><ac:plain-text-link-body><![CDATA[the list]]></ac:plain-text-link-body></ac:link>.</p>
        <ac:structured-macro ac:name="info"><ac:parameter ac:name="title">internal-parameter</ac:parameter><ac:rich-text-body><p>Mind the gap.</p></ac:rich-text-body></ac:structured-macro>
        <ac:structured-macro ac:name="code"><ac:parameter ac:name="language">ts</ac:parameter><ac:plain-text-body><![CDATA[if (a < b) {\n\n  run()\n}]]></ac:plain-text-body></ac:structured-macro>
        <table><tbody><tr><th><p>Key</p></th><th><p>Value</p></th></tr><tr><td><p>port</p></td><td><p>3000</p></td></tr></tbody></table>
        <ac:task-list><ac:task><ac:task-id>7</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Rotate keys</ac:task-body></ac:task></ac:task-list>
        <p style="display:none">hidden canary</p><ac:image><ri:attachment ri:filename="canary.png"/></ac:image><script>canary()</script>`,
      )
      const { Everything: text = '' } = await readAll(open())
      expect(text).toMatch(/^# Everything\n\n## Setup guide\n\nSee Runbook & the list\.\n\nMind the gap\.\n\n```\nif \(a < b\) \{\n\n {2}run\(\)\n\}\n```\n\nKey \| Value\nport \| 3000\n\n- Rotate keys/)
      expect(text).not.toMatch(/canary|internal-parameter|incomplete/)
    }))
})

describe('Jira', () => {
  documentSourceContract(async () => {
    const { fake, open } = await openJira()
    fake.levels = true
    return {
      add: async (title, text) => fake.add(title, toAdf(text)),
      edit: async (id, text) => fake.change(id, { description: toAdf(text) }),
      rename: async (id, summary) => fake.change(id, { summary }),
      remove: async (id) => void fake.issues.delete(id),
      restrict: async (id) => fake.change(id, { security: { id: '1' } }),
      site: fake,
      open,
      close: fake.close,
    }
  })

  async function within(run: (at: Awaited<ReturnType<typeof openJira>>) => Promise<void>) {
    const at = await openJira()
    await run(at).finally(at.fake.close)
  }

  it('reads comments, however many, and none that only some may read', () =>
    within(async ({ fake, open }) => {
      const id = fake.add('Checkout fails', { type: 'doc', content: [{ type: 'heading', attrs: { level: 2 }, content: [{ type: 'text', text: 'Steps' }] }, { type: 'bulletList', content: [{ type: 'listItem', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'Pay twice' }] }] }] }] })
      for (let at = 0; at < 30; at++) fake.comment(id, { author: 'Bo', created: '2026-02-03T00:00:00.000+0000', body: toAdf(`Comment ${at}.`) })
      fake.comment(id, { author: 'Cy', created: '2026-02-04T00:00:00.000+0000', body: toAdf('Canary.'), visibility: { type: 'role', value: 'Admins' } })
      fake.comment(id, { author: 'Cy', created: '2026-02-04T00:00:00.000+0000', body: toAdf('Canary.'), jsdPublic: false })
      fake.issues.get(id)!.priority = null
      const [text = ''] = Object.values(await readAll(open()))
      expect(text).toMatch(/^# SHOP-1: Checkout fails\n\nIssue: SHOP-1/)
      expect(text).toMatch(/### Steps\n\n- Pay twice/)
      expect(text).toMatch(/## Comments\n\n### Bo, 2026-02-03\n\nComment 0\.[^]*Comment 29\./)
      expect(text).not.toContain('Canary')
    }))

  it('leaves out issues whose security cannot be told, unless the project has no levels', () =>
    within(async ({ fake, open }) => {
      fake.add('Open', toAdf('x'))
      fake.tellsSecurity = false
      for (const [levels, count] of [[false, 1], [true, 0], [null, 0]] as const) {
        fake.levels = levels
        expect(Object.keys(await readAll(open()))).toHaveLength(count)
      }
    }))

  it('asks for fifty issues at once', () =>
    within(async ({ fake, open }) => {
      for (let at = 0; at < 60; at++) fake.add(`Issue ${at}`, toAdf('x'))
      const source = open()
      const tree = await source.tree((await source.head()).sha)
      fake.calls.length = 0
      for await (const _ of source.read(tree.map(({ blobSha }) => blobSha)));
      expect(fake.calls).toEqual(['POST /rest/api/3/search/jql', 'POST /rest/api/3/search/jql'])
    }))

  it('names the project and what to grant when it may not be seen', () =>
    within(async ({ fake, open }) => {
      fake.project = null
      await expect(open().head()).rejects.toMatchObject({ code: 'source-forbidden', message: expect.stringMatching(/project SHOP.*"Browse projects"/) as string })
    }))
})

describe('Notion', () => {
  documentSourceContract(async () => {
    const { fake, open } = await openNotion()
    return {
      add: async (title, text) => fake.add(title, toBlocks(text)),
      edit: async (id, text) => fake.change(id, { blocks: toBlocks(text) }),
      rename: async (id, title) => fake.change(id, { title }),
      remove: async (id) => void fake.pages.delete(id),
      site: fake,
      open: () => open(),
      close: fake.close,
    }
  })

  async function within(run: (at: Awaited<ReturnType<typeof openNotion>>) => Promise<void>) {
    const at = await openNotion()
    await run(at).finally(at.fake.close)
  }

  it('reads a page with all that is in it, and leaves pages below it to themselves', () =>
    within(async ({ fake, open }) => {
      fake.pageSize = 2
      const home = fake.add('Home', [
        { type: 'heading_2', text: 'Onboarding' },
        { type: 'bulleted_list_item', text: 'First day', children: [{ type: 'paragraph', text: 'Get a badge.' }] },
        { type: 'code', text: 'npm start', language: 'shell' },
        { type: 'image' },
        { type: 'paragraph', text: 'The end.' },
      ])
      fake.add('Below', toBlocks('Only below.'), home)
      fake.change(fake.add('Bin', toBlocks('Thrown away.')), { inTrash: true })
      const texts = await readAll(open())
      expect(Object.keys(texts)).toEqual(['Home', 'Home/Below'])
      expect(texts.Home).toMatch(/^# Home\n[^]*## Onboarding[^]*First day[^]*Get a badge\.[^]*```shell\nnpm start\n```[^]*The end\./)
      expect(texts.Home).not.toMatch(/Only below|canary|Signature/)
      expect(fake.calls.filter((call) => call.includes('/v1/databases'))).toEqual([])
    }))

  it('says what to grant when it may not read content', () =>
    within(async ({ fake, open }) => {
      fake.add('Closed', toBlocks('x'))
      fake.mayRead = false
      await expect(open().head()).rejects.toMatchObject({ code: 'source-forbidden', message: expect.stringMatching(/"Read content"/) as string })
    }))

  it('reads once more what changed in the last minutes, as its times tell no seconds', () =>
    within(async ({ fake, open }) => {
      const id = fake.add('Fresh', toBlocks('x'))
      const edited = Date.parse(fake.pages.get(id)!.edited)
      const shaAt = async (now: number) => (await open(() => now).head()).sha
      expect(await shaAt(edited + 30_000)).not.toBe(await shaAt(edited + 300_000))
      expect(await shaAt(edited + 300_000)).toBe(await shaAt(edited + 3_000_000))
    }))
})

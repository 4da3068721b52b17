import { expect, test } from 'vitest'
import type { Source } from '../sources/source.ts'
import type { SiteFault } from './fake-site.ts'

/** A site, or a library, that a kind of source is put to the test with. Texts are paragraphs with a blank line between them. */
export type DocumentFixture = {
  add(title: string, text: string): Promise<string>
  edit(id: string, text: string): Promise<void>
  rename?(id: string, title: string): Promise<void>
  remove(id: string): Promise<void>
  /** From now on not everyone may read it. */
  restrict?(id: string): Promise<void>
  /** Calls that were made, and what goes wrong with the next; absent where nothing is called. */
  site?: { calls: string[]; fault: SiteFault | null; pageSize: number }
  open(): Source
  close(): Promise<void>
}

/** The whole test of a source whose tree is a listing of documents. */
export function documentSourceContract(openFixture: () => Promise<DocumentFixture>): void {
  async function within(run: (fixture: DocumentFixture) => Promise<void>): Promise<void> {
    const fixture = await openFixture()
    try {
      await run(fixture)
    } finally {
      await fixture.close()
    }
  }

  async function snapshot(source: Source) {
    const { sha } = await source.head()
    const tree = await source.tree(sha)
    const wanted = tree.filter(({ kept }) => kept === undefined)
    const texts: Record<string, string> = {}
    const kept: Record<string, string> = {}
    let next = 0
    for await (const read of source.read(wanted.map(({ blobSha }) => blobSha))) {
      const entry = wanted[next++]!
      expect(read.blobSha).toBe(entry.blobSha)
      texts[entry.document!.title] = read.bytes.toString()
      if (read.kept) kept[entry.document!.title] = read.kept
    }
    expect(next).toBe(wanted.length)
    return { sha, tree, texts, kept, blobs: Object.fromEntries(tree.map(({ document, blobSha }) => [document!.title, blobSha])) }
  }
  const find = (record: Record<string, string>, title: string) => Object.entries(record).find(([name]) => name.includes(title))?.[1]

  test('an added, an edited and a deleted document change the head, and the others stay what they are', () =>
    within(async (fixture) => {
      await fixture.add('Stays', 'It never changes.')
      const edited = await fixture.add('Changes', 'Before.')
      const gone = await fixture.add('Goes', 'It goes.')
      const before = await snapshot(fixture.open())
      expect(await snapshot(fixture.open())).toEqual(before)
      await fixture.edit(edited, 'After.')
      await fixture.remove(gone)
      await fixture.add('Comes', 'It is new.')
      const after = await snapshot(fixture.open())
      expect(after.sha).not.toBe(before.sha)
      expect(find(before.texts, 'Changes')).toContain('Before.')
      expect(find(after.texts, 'Changes')).toContain('After.')
      expect([find(after.texts, 'Goes'), find(after.texts, 'Comes')]).toEqual([undefined, expect.stringContaining('It is new.')])
      expect(find(after.blobs, 'Stays')).toBe(find(before.blobs, 'Stays'))
      expect(find(after.blobs, 'Changes')).not.toBe(find(before.blobs, 'Changes'))
    }))

  test('every entry is a document with a title, its own address, a time and a sha in hex', () =>
    within(async (fixture) => {
      await fixture.add('One', 'Text of one.')
      const { sha, tree, texts } = await snapshot(fixture.open())
      expect(sha).toMatch(/^[0-9a-f]{40}$/)
      const [entry] = tree
      expect(entry).toMatchObject({ mode: '100644', blobSha: expect.stringMatching(/^[0-9a-f]{40}$/) as string, document: { title: expect.stringContaining('One') as string, contentType: 'documentation', changedAt: expect.any(Date) as Date } })
      expect(entry!.document!.url ?? 'https:').toMatch(/^https:/)
      expect(entry!.document!.url ?? '').not.toContain('elsewhere')
      const text = find(texts, 'One')!
      expect(text.startsWith(`# ${entry!.document!.title}\n\n`)).toBe(true)
      expect(text).toContain('Text of one.')
    }))

  test('paragraphs stay apart, and headings are Markdown\'s', () =>
    within(async (fixture) => {
      await fixture.add('Apart', 'First paragraph.\n\nSecond paragraph.')
      expect(find((await snapshot(fixture.open())).texts, 'Apart')).toMatch(/First paragraph\.\n\n+Second paragraph\./)
    }))

  test('titles that no path may have, and titles that are the same, lose nobody', () =>
    within(async (fixture) => {
      const titles = ['..', 'a/b', 'tab\there', 'Release notes.pdf', '日本語 🦊', '.nura.yml', `quo"te's`]
      for (const [at, title] of titles.entries()) await fixture.add(title, `Text number ${at}.`)
      const { tree, texts } = await snapshot(fixture.open())
      expect(tree).toHaveLength(titles.length)
      expect(new Set(tree.map(({ path }) => path)).size).toBe(titles.length)
      for (const { path } of tree) expect(path.split('/').some((segment) => segment === '..' || segment === '.' || segment === '')).toBe(false)
      for (const at of titles.keys()) expect(Object.values(texts).filter((text) => text.includes(`Text number ${at}.`))).toHaveLength(1)
    }))

  test('many come over several pages, each once, in the order asked', () =>
    within(async (fixture) => {
      if (fixture.site) fixture.site.pageSize = 7
      for (let at = 0; at < 30; at++) await fixture.add(`Number ${at} of many`, `This is text ${at}.`)
      const { tree, texts } = await snapshot(fixture.open())
      expect(tree).toHaveLength(30)
      expect(tree.map(({ path }) => path)).toEqual(tree.map(({ path }) => path).toSorted())
      for (let at = 0; at < 30; at++) expect(find(texts, `Number ${at} of`)).toContain(`This is text ${at}.`)
    }))

  test('a reader that stops early leaves nothing behind, and an aborted look ends with the reason', () =>
    within(async (fixture) => {
      await fixture.add('One', 'One.')
      await fixture.add('Two', 'Two.')
      const source = fixture.open()
      const tree = await source.tree((await source.head()).sha)
      for await (const { bytes } of source.read(tree.map(({ blobSha }) => blobSha))) {
        expect(bytes.length).toBeGreaterThan(0)
        break
      }
      const reason = new Error('enough')
      await expect(fixture.open().head(AbortSignal.abort(reason))).rejects.toBe(reason)
    }))

  test('what nobody listed cannot be read', () =>
    within(async (fixture) => {
      const read = async () => {
        for await (const _ of fixture.open().read(['0'.repeat(40)]));
      }
      await expect(read()).rejects.toMatchObject({ code: 'missing-object' })
    }))

  test('one that is gone since it was listed is no failure of the others', () =>
    within(async (fixture) => {
      const gone = await fixture.add('Goes', 'It goes.')
      await fixture.add('Stays', 'It stays.')
      const source = fixture.open()
      const tree = await source.tree((await source.head()).sha)
      await fixture.remove(gone)
      const read: { text: string; kept: string | undefined }[] = []
      for await (const { bytes, kept } of source.read(tree.map(({ blobSha }) => blobSha))) read.push({ text: bytes.toString(), kept })
      expect(read).toHaveLength(2)
      expect(read.filter(({ kept }) => kept === 'gone')).toEqual([{ text: '', kept: 'gone' }])
      expect(read.filter(({ text }) => text.includes('It stays.'))).toHaveLength(1)
    }))

  test('a new title is a new version', () =>
    within(async (fixture) => {
      if (!fixture.rename) return
      const id = await fixture.add('Old name', 'Text.')
      const before = await snapshot(fixture.open())
      await fixture.rename(id, 'New name')
      const after = await snapshot(fixture.open())
      expect(after.sha).not.toBe(before.sha)
      expect(find(after.texts, 'New name')).toContain('Text.')
      expect(find(after.texts, 'Old name')).toBeUndefined()
    }))

  test('what not everyone may read is left out with a reason, and nothing of it is told', () =>
    within(async (fixture) => {
      if (!fixture.restrict) return
      const id = await fixture.add('Layoffs in May', 'Canary text.')
      await fixture.add('Open', 'For all.')
      const source = fixture.open()
      const listed = await source.tree((await source.head()).sha)
      await fixture.restrict(id)
      // Restricted between the listing and the reading.
      for await (const { bytes, kept } of source.read(listed.map(({ blobSha }) => blobSha))) expect(kept === 'restricted' ? '' : bytes.toString()).not.toContain('Canary')
      const { tree, texts } = await snapshot(fixture.open())
      expect(tree.filter(({ kept }) => kept === 'restricted')).toHaveLength(1)
      expect(JSON.stringify([tree, texts])).not.toMatch(/Layoffs|Canary/)
      expect(find(texts, 'Open')).toContain('For all.')
    }))

  test('an outage is told as one, with when to come again, and never as an empty listing', () =>
    within(async (fixture) => {
      const { site } = fixture
      if (!site) return
      for (let at = 0; at < 6; at++) await fixture.add(`Number ${at}`, 'Text.')
      site.pageSize = 2
      const away = { code: 'source-unavailable', retryable: true, retryAt: expect.any(Date) as Date }
      for (const fault of [{ kind: 'status', status: 500 }, { kind: 'status', status: 503 }, { kind: 'cut' }] as const) {
        site.fault = fault
        await expect(fixture.open().head()).rejects.toMatchObject(away)
        const source = healthy(fixture)
        const tree = await source.tree((await source.head()).sha)
        site.fault = fault
        await expect(drain(source, tree)).rejects.toMatchObject(away)
      }
      site.fault = { kind: 'status', status: 429, retryAfter: '600' }
      const error = await fixture.open().head().catch((thrown: unknown) => thrown as { code: string; retryAt: Date; message: string })
      expect(error).toMatchObject({ code: 'source-rate-limited', retryable: true })
      expect((error as { retryAt: Date }).retryAt.getTime() - Date.now()).toBeGreaterThan(500_000)
      expect(JSON.stringify(error)).not.toContain('canary')
      // A short limit is waited out by the call itself.
      site.fault = { kind: 'status', status: 429, retryAfter: '0.1', times: 2 }
      expect((await snapshot(fixture.open())).tree).toHaveLength(6)
    }))

  test('a refused token, a page instead of data and a redirect say what to do', () =>
    within(async (fixture) => {
      const { site } = fixture
      if (!site) return
      site.fault = { kind: 'status', status: 401 }
      await expect(fixture.open().head()).rejects.toMatchObject({ code: 'source-unauthorized', retryable: false, message: expect.stringMatching(/token/) as string })
      site.fault = { kind: 'page' }
      await expect(fixture.open().head()).rejects.toMatchObject({ code: 'source-refused', message: expect.stringMatching(/page instead of data/) as string })
      site.fault = { kind: 'redirect', to: 'https://elsewhere.example/' }
      await expect(fixture.open().head()).rejects.toMatchObject({ code: 'source-refused', message: expect.stringMatching(/another address/) as string })
    }))
}

function healthy(fixture: DocumentFixture): Source {
  fixture.site!.fault = null
  return fixture.open()
}

async function drain(source: Source, tree: { blobSha: string }[]): Promise<void> {
  for await (const _ of source.read(tree.map(({ blobSha }) => blobSha)));
}

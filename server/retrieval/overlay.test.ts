import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { gather } from '../agents/gather.ts'
import { dev } from '../agents/dev.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { readFile } from '../indexing/read-file.ts'
import { createLog } from '../log.ts'
import { lexicalEmbedders } from '../models/lexical.ts'
import { createGitSource } from '../sources/git.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { toOverlay } from './overlay.ts'
import type { Overlay } from './overlay.ts'
import { search } from './search.ts'

const cart = (doc: string) => `import { roundPrice } from './price.ts'

/** ${doc} */
export function totalOf(prices: number[]): number {
  return roundPrice(prices.reduce((sum, price) => sum + price, 0))
}
`
const files = {
  'src/cart.ts': cart('Adds up the prices of a cart.'),
  'src/price.ts': '/** Rounds a price to whole cents. */\nexport function roundPrice(price: number): number {\n  return Math.round(price * 100) / 100\n}\n',
  'src/old.ts': '/** Converts the currency of a price by a table. */\nexport function convertCurrency(price: number): number {\n  return price\n}\n',
  'src/ship.ts': '/** Picks the carrier of a parcel. */\nexport function pickCarrier(): string {\n  return "post"\n}\n',
}
const head = 'f'.repeat(40)
const log = createLog({ level: 'silent', process: 'test' })

let db: Db
let repository: TestRepository
let tenant: TenantDb
let repositoryId: string

beforeAll(async () => {
  ;[db, repository] = await Promise.all([openTestDb(), createRepository(files)])
  tenant = await createTestTenant(db)
  const added = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: repository.dir })
  repositoryId = added.id
  await indexSource({ embedders: lexicalEmbedders, log }, tenant, added, createGitSource(repository.dir))
})
afterAll(async () => {
  await db.close()
  await repository[Symbol.asyncDispose]()
})

async function lay(changed: Record<string, string>, gone: string[] = [], focus: Overlay['focus'] = null): Promise<Overlay> {
  const read = Object.entries(changed).map(([path, text]) =>
    readFile({ path, mode: '100644', blobSha: '0'.repeat(40), size: text.length, generated: false, vendored: false }, Buffer.from(text), 'overlay'),
  )
  return toOverlay({ repositoryId, repository: 'acme/shop', sha: head, focus }, (await Promise.all(read)).map(({ file }) => file), gone)
}

const find = (question: string, overlay?: Overlay) => search({ db, embedders: lexicalEmbedders }, tenant, { question, audience: { kind: 'tenant' }, overlay })

const vat = { 'src/vat.ts': "import { roundPrice } from './price.ts'\n\n/** Adds the value added tax of a country to a price. */\nexport function addVat(price: number, country: string): number {\n  return roundPrice(price * rates[country])\n}\n" }

describe('a file that only the overlay has', () => {
  test('is found by its words and its name, at its commit', async () => {
    const overlay = await lay(vat)
    for (const question of ['Where is the value added tax added?', 'What does addVat do?']) {
      const { passages, strength } = await find(question, overlay)
      expect(passages[0]).toMatchObject({ path: 'src/vat.ts', sha: head, repository: 'acme/shop' })
      expect(strength.isEnough).toBe(true)
    }
    expect((await find('Where is the value added tax added?')).strength.isEnough).toBe(false)
  })

  test('does not outrank what the index answers better', async () => {
    expect((await find('Which carrier is picked for a parcel?', await lay(vat))).passages[0]).toMatchObject({ path: 'src/ship.ts' })
  })

  test('tells what it defines and whom it calls', async () => {
    const { passages, overlay, repositories } = await find('What does addVat do?', await lay(vat))
    const ids = repositories.map(({ id }) => id)
    const evidence = await gather(tenant, { question: 'What does addVat do?', isGeneral: false }, passages, ids, dev.lens, overlay)
    expect(evidence.symbols).toContainEqual(expect.objectContaining({ name: 'addVat', path: 'src/vat.ts', doc: 'Adds the value added tax of a country to a price.' }))
    expect(evidence.relations).toContainEqual(expect.objectContaining({ kind: 'call', from: expect.objectContaining({ path: 'src/vat.ts', symbol: 'addVat' }), to: expect.objectContaining({ path: 'src/price.ts', symbol: 'roundPrice' }) }))
    const callers = await gather(tenant, { question: 'Who calls roundPrice?', isGeneral: false }, (await find('Who calls roundPrice?', overlay!)).passages, ids, dev.lens, overlay)
    expect(callers.relations.filter(({ kind, to }) => kind === 'call' && to.symbol === 'roundPrice').map(({ from }) => from.path).sort()).toEqual(['src/cart.ts', 'src/vat.ts'])
  })
})

describe('a file that the overlay changes', () => {
  test('is told as it is there, never as the index has it', async () => {
    const overlay = await lay({ 'src/cart.ts': cart('Sums the prices of a cart and takes off the discount.') })
    const { passages } = await find('What does totalOf do?', overlay)
    expect(passages.filter(({ path }) => path === 'src/cart.ts').map(({ sha }) => sha)).toEqual([head])
    expect(passages[0]!.content).toContain('takes off the discount')
  })

  test('that is removed or renamed away is not told', async () => {
    const overlay = await lay({ 'src/money.ts': files['src/old.ts'] }, ['src/old.ts'])
    const { passages, repositories } = await find('Where is the currency converted?', overlay)
    expect(passages.map(({ path }) => path)).not.toContain('src/old.ts')
    expect(passages[0]).toMatchObject({ path: 'src/money.ts' })
    const evidence = await gather(tenant, { question: 'Where is the currency converted?', isGeneral: false }, passages, repositories.map(({ id }) => id), dev.lens, overlay)
    expect(JSON.stringify(evidence)).not.toContain('src/old.ts')
  })
})

test('the line that is asked about is always among the passages: first when the question points at it', async () => {
  const overlay = await lay(vat, [], { path: 'src/vat.ts', line: 5 })
  expect((await find('Why is this so?', overlay)).passages[0]).toMatchObject({ path: 'src/vat.ts' })
  const { passages } = await find('Which carrier does pickCarrier pick?', overlay)
  expect(passages[0]).toMatchObject({ path: 'src/ship.ts' })
  expect(passages.map(({ path }) => path)).toContain('src/vat.ts')
})

test('an overlay of a repository that may not be read is not there', async () => {
  const overlay = await lay(vat)
  const result = await search({ db, embedders: lexicalEmbedders }, tenant, { question: 'What does addVat do?', audience: { kind: 'public' }, overlay })
  expect(result).toMatchObject({ passages: [], overlay: null })
})

test('nothing of an overlay is stored', async () => {
  await find('What does addVat do?', await lay(vat))
  expect(await tenant.transaction((tx) => tx.query(`select 1 from knowledge_base where content like '%addVat%' union all select 1 from file where path = 'src/vat.ts'`))).toEqual([])
})

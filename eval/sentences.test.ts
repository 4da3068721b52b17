import { expect, test } from 'vitest'
import { createRepository } from '#server/testing/create-repository.ts'
import { readSentences } from './sentences.ts'

const files = {
  'src/pay.ts': `/**
 * Charges the card of whoever has placed
 * an order. Never twice.
 */
export function pay(order: Order): void {
  const card = order.card
  card.charge(order.total)
  order.close()
}

/** Too short to ask. */
export function close(): void {
  one()
  two()
  three()
}
`,
  'pay.go': '// Refund gives back what an order has cost its buyer.\nfunc Refund(order Order) {\n\tone()\n\ttwo()\n\tthree()\n}\n',
  'src/pay.test.ts': '/** Tests what nobody should be asked about at all. */\nexport function test(): void {\n  one()\n  two()\n  three()\n}\n',
  'docs/refunds.md': `# Refunds

Whoever has \`paid\` may ask for [their money](back.md) within
a month. It is sent to the card that the order was paid with, and an email says so as soon as the bank has taken it.

Short is what follows this sentence of seven. So nothing.
`,
}

test('sentences that say what stands below them are asked, and are gone from there', async () => {
  await using repository = await createRepository(files)
  const { documents, sentences } = await readSentences(repository.dir, 10)
  expect(sentences.toSorted((a, b) => a.question.localeCompare(b.question))).toEqual([
    { kind: 'code', question: 'Charges the card of whoever has placed an order.', golden: { path: 'src/pay.ts', startLine: 5, endLine: 9 } },
    { kind: 'code', question: 'gives back what an order has cost its buyer.', golden: { path: 'pay.go', startLine: 2, endLine: 6 } },
    { kind: 'documents', question: 'Whoever has paid may ask for their money within a month.', golden: { path: 'docs/refunds.md', startLine: 3, endLine: 4 } },
  ])
  expect(documents.get('docs/refunds.md')).toMatch(/^# Refunds\n\n\n It is sent to the card/)
  expect(documents.get('src/pay.ts')).toMatch(/^\/\*\*\n \* \n Never twice\.\n \*\/\nexport function pay/)
  for (const [path, text] of Object.entries(files)) expect(documents.get(path)!.split('\n')).toHaveLength(text.split('\n').length)
})

test('the same tree gives the same questions, as many of each kind as are wanted', async () => {
  await using repository = await createRepository(files)
  const [one, other] = [await readSentences(repository.dir, 1), await readSentences(repository.dir, 1)]
  expect(one).toEqual(other)
  expect(one.sentences.map(({ kind }) => kind)).toEqual(['code', 'documents'])
})

test('a checkout that says nothing makes no question', async () => {
  await using repository = await createRepository({ 'a.ts': 'export const a = 1\n' })
  await expect(readSentences(repository.dir, 10)).rejects.toMatchObject({ code: 'no-questions' })
})

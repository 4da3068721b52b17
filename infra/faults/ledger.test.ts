import { expect, test } from 'vitest'
import { settleLedger, toAnswer } from './ledger.ts'
import type { Asked, LedgerReply, LedgerRow } from './ledger.ts'

const asked = (mark: string, acked = true): Asked => ({ mark, ts: `ts-${mark}`, sentAt: 0, ackedAt: acked ? 1 : null, ackMs: acked ? 1 : null, answeredAt: null })
const done = (mark: string): LedgerRow => ({ ts: `ts-${mark}`, state: 'done', outcome: 'answered' })
const reply = (mark: string, text = toAnswer(mark), streaming = false): LedgerReply => ({ ts: `ts-${mark}`, text, streaming })
const settle = (all: Asked[], rows: LedgerRow[], replies: LedgerReply[]) => settleLedger(all, rows, (ts) => replies.filter((each) => each.ts === ts))

test('one whole answer each, and an outcome: nothing to say', () => {
  const account = settle([asked('1001'), asked('1002')], [done('1001'), done('1002')], [reply('1001'), reply('1002')])
  expect(account).toEqual({ asked: 2, acknowledged: 2, neverAcknowledged: 0, lost: [], told: [], double: [], foreign: [], withoutOutcome: [] })
})

test('an event that was never acknowledged and left nothing is not lost', () => {
  expect(settle([asked('1001', false)], [], [])).toMatchObject({ acknowledged: 0, neverAcknowledged: 1, lost: [] })
})

test.each<[string, LedgerRow[], LedgerReply[]]>([
  ['without a row', [], [reply('1001')]],
  ['without a reply', [done('1001')], []],
  ['whose answer is not at its end', [done('1001')], [reply('1001', toAnswer('1001').slice(0, 200))]],
  ['whose stream was never ended', [done('1001')], [reply('1001', toAnswer('1001'), true)]],
  ['that shows the answer of another', [done('1001')], [reply('1001', toAnswer('1002'))]],
])('an acknowledged event %s is lost', (_, rows, replies) => {
  expect(settle([asked('1001')], rows, replies).lost).toEqual(['1001'])
})

test('a row is owed an answer though its acknowledgement never arrived', () => {
  expect(settle([asked('1001', false)], [done('1001')], []).lost).toEqual(['1001'])
})

const failed: LedgerRow = { ts: 'ts-1001', state: 'failed', outcome: 'failed' }

test('who is owed an answer and was told why there is none is not lost, and counted apart', () => {
  expect(settle([asked('1001')], [failed], [reply('1001', 'Something went wrong on my side.')])).toMatchObject({ lost: [], told: ['1001'] })
})

test.each<[string, LedgerRow, LedgerReply[]]>([
  ['its thread shows nothing', failed, []],
  ['what it says is still being written', failed, [reply('1001', 'Something went', true)]],
  ['the row says that it was answered', done('1001'), [reply('1001', 'Something went wrong on my side.')]],
])('an event that ended without an answer is lost where %s', (_, row, replies) => {
  expect(settle([asked('1001')], [row], replies)).toMatchObject({ lost: ['1001'], told: [] })
})

test.each<[string, LedgerReply[]]>([
  ['two whole replies', [reply('1001'), reply('1001')]],
  ['a whole reply and the beginning of one', [reply('1001'), reply('1001', toAnswer('1001').slice(0, 100), true)]],
  ['a whole reply and a promise', [reply('1001'), reply('1001', 'I keep trying.')]],
  ['one reply with the answer twice', [reply('1001', toAnswer('1001') + toAnswer('1001'))]],
  ['one reply that begins twice', [reply('1001', `Answer 1001 begins ${toAnswer('1001')}`)]],
])('%s are a double', (_, replies) => {
  expect(settle([asked('1001')], [done('1001')], replies).double).toEqual(['1001'])
})

test('what belongs to another thread is seen beside what belongs there', () => {
  expect(settle([asked('1001')], [done('1001')], [reply('1001', toAnswer('1001') + toAnswer('1002'))]).foreign).toEqual(['1001'])
})

test.each<[string, LedgerRow]>([
  ['still runs', { ts: 'ts-1001', state: 'running', outcome: null }],
  ['still waits', { ts: 'ts-1001', state: 'accepted', outcome: null }],
  ['ended without one', { ts: 'ts-1001', state: 'done', outcome: null }],
])('a row that %s is without outcome', (_, row) => {
  expect(settle([asked('1001')], [row], [reply('1001')]).withoutOutcome).toEqual(['1001'])
})

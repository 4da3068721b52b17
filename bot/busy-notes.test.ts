import { expect, test } from 'vitest'
import { createBusyNotes } from './busy-notes.ts'

test('T33: somebody is told to wait once in a channel, and again when they ask too much after that', () => {
  let at = 1_000
  const notes = createBusyNotes(() => at)
  const whom = { tenantId: 't', asker: 'slack:T:U', channel: 'C' }
  expect(notes.has(whom)).toBe(false)
  const until = new Date(at + 40_000)
  expect([notes.note(whom, until), notes.note(whom, until), notes.has(whom)]).toEqual([true, false, true])
  for (const other of [{ ...whom, channel: 'D' }, { ...whom, asker: 'slack:T:V' }, { ...whom, tenantId: 'u' }]) expect(notes.has(other)).toBe(false)
  at += 40_000
  expect(notes.has(whom)).toBe(false)
  expect(notes.note(whom, new Date(at + 40_000))).toBe(true)
})

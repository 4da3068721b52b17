import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Audience } from './audience.ts'
import { decideReadable, type Grant, type SourceAudience } from './decide-readable.ts'

const channel: Audience = { kind: 'channel', id: 'slack:T1:C1' }
const person: Audience = { kind: 'person', id: 'slack:T1:U1' }
const grantTo = {
  none: null,
  channel: { readerKind: 'channel', readerId: channel.id },
  person: { readerKind: 'person', readerId: person.id },
} as const

/** One source, every combination: which of the six audiences may be answered from it. */
const open = { tenant: true, knownChannel: true, unknownChannel: false, knownPerson: true, unknownPerson: false, public: false }
const closed = {
  tenant: false,
  knownChannel: false,
  unknownChannel: false,
  knownPerson: false,
  unknownPerson: false,
  public: false,
}
const matrix = [
  { audience: 'tenant', isPublic: false, grant: 'none', may: open },
  { audience: 'tenant', isPublic: false, grant: 'channel', may: { ...open, unknownChannel: true } },
  { audience: 'tenant', isPublic: false, grant: 'person', may: { ...open, unknownPerson: true } },
  {
    audience: 'tenant',
    isPublic: true,
    grant: 'none',
    may: { ...open, unknownChannel: true, unknownPerson: true, public: true },
  },
  {
    audience: 'tenant',
    isPublic: true,
    grant: 'channel',
    may: { ...open, unknownChannel: true, unknownPerson: true, public: true },
  },
  {
    audience: 'tenant',
    isPublic: true,
    grant: 'person',
    may: { ...open, unknownChannel: true, unknownPerson: true, public: true },
  },
  { audience: 'granted', isPublic: false, grant: 'none', may: closed },
  { audience: 'granted', isPublic: false, grant: 'channel', may: { ...closed, knownChannel: true, unknownChannel: true } },
  { audience: 'granted', isPublic: false, grant: 'person', may: { ...closed, knownPerson: true, unknownPerson: true } },
  { audience: 'granted', isPublic: true, grant: 'none', may: closed },
  { audience: 'granted', isPublic: true, grant: 'channel', may: { ...closed, knownChannel: true, unknownChannel: true } },
  { audience: 'granted', isPublic: true, grant: 'person', may: { ...closed, knownPerson: true, unknownPerson: true } },
] as const

describe.each(matrix)('$audience source, public $isPublic, granted to $grant', ({ audience, isPublic, grant, may }) => {
  const source: SourceAudience = { id: 'r1', audience, isPublic }
  const to = grantTo[grant]
  const grants: Grant[] = to ? [{ repositoryId: 'r1', ...to }] : []
  test.each([
    ['the tenant', { kind: 'tenant' }, true, may.tenant],
    ['a known channel', channel, true, may.knownChannel],
    ['an unknown channel', channel, false, may.unknownChannel],
    ['a known person', person, true, may.knownPerson],
    ['an unknown person', person, false, may.unknownPerson],
    ['the public', { kind: 'public' }, true, may.public],
  ] as const)('for %s', (_, reader, isKnown, expected) => {
    expect(decideReadable(reader, [source], grants, isKnown)).toEqual(expected ? [source] : [])
  })
})

test('a grant counts only for its own source, kind and id', () => {
  const source: SourceAudience = { id: 'r1', audience: 'granted', isPublic: false }
  const others: Grant[] = [
    { repositoryId: 'r2', readerKind: 'channel', readerId: channel.id },
    { repositoryId: 'r1', readerKind: 'person', readerId: channel.id },
    { repositoryId: 'r1', readerKind: 'channel', readerId: `${channel.id}0` },
    { repositoryId: 'r1', readerKind: 'channel', readerId: channel.id.toLowerCase() },
  ]
  expect(decideReadable(channel, [source], others, true)).toEqual([])
})

test('what is not recognised opens nothing', () => {
  const source: SourceAudience = { id: 'r1', audience: 'tenant', isPublic: true }
  expect(decideReadable({ kind: 'everyone' } as never, [source], [], true)).toEqual([])
  const odd = { id: 'r1', audience: 'workspace', isPublic: true } as never
  for (const kind of ['tenant', 'public'] as const) expect(decideReadable({ kind }, [odd], [], true)).toEqual([])
  expect(decideReadable(person, [odd], [{ repositoryId: 'r1', readerKind: 'person', readerId: person.id }], true)).toEqual([])
})

test('public ⊆ tenant ⊆ known reader, whatever the sources and grants', () => {
  const id = fc.constantFrom('r1', 'r2', 'r3', 'r4')
  const sources = fc.uniqueArray(
    fc.record({ id, audience: fc.constantFrom('tenant' as const, 'granted' as const), isPublic: fc.boolean() }),
    {
      selector: (source) => source.id,
    },
  )
  const grants = fc.array(
    fc.record({
      repositoryId: id,
      readerKind: fc.constantFrom('channel' as const, 'person' as const),
      readerId: fc.constantFrom(channel.id, person.id),
    }),
  )
  fc.assert(
    fc.property(sources, grants, fc.constantFrom(channel, person), fc.boolean(), (all, granted, reader, isKnown) => {
      const ids = (audience: Audience, known: boolean) => decideReadable(audience, all, granted, known).map((source) => source.id)
      expect(ids({ kind: 'tenant' }, true)).toEqual(expect.arrayContaining(ids({ kind: 'public' }, true)))
      expect(ids(reader, true)).toEqual(expect.arrayContaining(ids({ kind: 'tenant' }, true)))
      expect(ids(reader, true)).toEqual(expect.arrayContaining(ids(reader, isKnown)))
      expect(ids(reader, isKnown)).toEqual(expect.arrayContaining(ids({ kind: 'public' }, true)))
    }),
  )
})

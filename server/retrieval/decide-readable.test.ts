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

describe('a source for those who may read it on GitHub', () => {
  const source: SourceAudience = { id: 'r1', audience: 'github', isPublic: false }
  const onGithub = new Set(['r1'])

  test.each([
    ['a known person whose account may', person, true, onGithub, true],
    ['a known person whose account may not', person, true, new Set(['r2']), false],
    ['a known person without an account', person, true, undefined, false],
    ['an unknown person', person, false, onGithub, false],
    ['a channel', channel, true, onGithub, false],
    ['the tenant', { kind: 'tenant' }, true, onGithub, false],
    ['the public', { kind: 'public' }, true, onGithub, false],
  ] as const)('for %s', (_, reader, isKnown, permitted, expected) => {
    expect(decideReadable(reader, [source], [], isKnown, permitted)).toEqual(expected ? [source] : [])
  })

  test('is not opened by a grant, and an account opens no other kind', () => {
    expect(decideReadable(person, [source], [{ repositoryId: 'r1', readerKind: 'person', readerId: person.id }], true)).toEqual([])
    expect(decideReadable(person, [{ ...source, audience: 'granted' }], [], true, onGithub)).toEqual([])
  })

  test('is open to all when it is public there', () => {
    const published = { ...source, isPublic: true }
    for (const reader of [person, channel, { kind: 'tenant' }, { kind: 'public' }] as const) {
      for (const isKnown of [true, false]) expect(decideReadable(reader, [published], [], isKnown)).toEqual([published])
    }
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
    fc.record({ id, audience: fc.constantFrom('tenant' as const, 'granted' as const, 'github' as const), isPublic: fc.boolean() }),
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
    fc.property(sources, grants, fc.constantFrom(channel, person), fc.boolean(), fc.subarray(['r1', 'r2', 'r3', 'r4']), (all, granted, reader, isKnown, onGithub) => {
      const ids = (audience: Audience, known: boolean) => decideReadable(audience, all, granted, known, new Set(onGithub)).map((source) => source.id)
      expect(ids({ kind: 'tenant' }, true)).toEqual(expect.arrayContaining(ids({ kind: 'public' }, true)))
      expect(ids(reader, true)).toEqual(expect.arrayContaining(ids({ kind: 'tenant' }, true)))
      expect(ids(reader, true)).toEqual(expect.arrayContaining(ids(reader, isKnown)))
      expect(ids(reader, isKnown)).toEqual(expect.arrayContaining(ids({ kind: 'public' }, true)))
    }),
  )
})

test('what was decided before is what is opened, and nothing that is not there', () => {
  const sources: SourceAudience[] = [
    { id: 'a', audience: 'tenant', isPublic: false },
    { id: 'b', audience: 'granted', isPublic: false },
    { id: 'c', audience: 'github', isPublic: true },
  ]
  expect(decideReadable({ kind: 'repositories', ids: ['b', 'x'] }, sources, [], true).map(({ id }) => id)).toEqual(['b'])
  expect(decideReadable({ kind: 'repositories', ids: [] }, sources, [], true)).toEqual([])
})

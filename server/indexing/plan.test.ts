import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SkipReason } from '../sources/skip.ts'
import type { TreeEntry } from '../sources/source.ts'
import { planChanges } from './plan.ts'
import type { Change, Manifest, ManifestEntry, Rules } from './plan.ts'

const version = 3
const extension = (path: string) => path.split('.').at(-1)
const rules: Rules = {
  chunkerVersion: version,
  skip: ({ path }) => (path.endsWith('.lock') ? 'lock-file' : null),
  sameKind: (from, to) => extension(from) === extension(to),
}

function entry(path: string, blobSha: string): TreeEntry {
  return { path, blobSha, mode: '100644', size: 10, generated: false, vendored: false }
}

function indexed(blobSha: string, changes: Partial<ManifestEntry> = {}): ManifestEntry {
  return { blobSha, chunkerVersion: version, skipReason: null, ...changes }
}

/** What the index holds after the plan was carried out. */
function apply(manifest: Manifest, changes: Change[]): Map<string, ManifestEntry> {
  const after = new Map(manifest)
  for (const change of changes) if (change.kind === 'move') after.delete(change.from)
  for (const change of changes) if (change.kind === 'remove') after.delete(change.path)
  for (const change of changes) {
    if (change.kind === 'move') after.set(change.entry.path, manifest.get(change.from)!)
    if (change.kind === 'add' || change.kind === 'change') after.set(change.entry.path, indexed(change.entry.blobSha))
    if (change.kind === 'skip') after.set(change.entry.path, indexed(change.entry.blobSha, { skipReason: change.reason }))
  }
  return after
}

const path = fc.tuple(fc.constantFrom('a', 'b', 'src/a', 'lib/b'), fc.constantFrom('ts', 'md', 'lock')).map((parts) => parts.join('.'))
const blob = fc.constantFrom('1', '2', '3')
const trees = fc.uniqueArray(fc.record({ path, blobSha: blob }), { selector: (each) => each.path }).map((all) => all.map((each) => entry(each.path, each.blobSha)))
const reasons: (SkipReason | null)[] = [null, null, null, 'lock-file', 'minified', 'data']
const manifests = fc
  .uniqueArray(fc.tuple(path, fc.record({ blobSha: blob, chunkerVersion: fc.constantFrom(version, version, 2), skipReason: fc.constantFrom(...reasons) })), { selector: ([at]) => at })
  .map((all): Manifest => new Map(all))

describe('any tree against any manifest', () => {
  test('the plan makes the index the tree', () => {
    fc.assert(
      fc.property(trees, manifests, (tree, manifest) => {
        const after = apply(manifest, planChanges(tree, manifest, rules))
        expect([...after.keys()].sort()).toEqual(tree.map((each) => each.path).sort())
        for (const each of tree) {
          expect(after.get(each.path)).toMatchObject({ blobSha: each.blobSha, chunkerVersion: version })
          const named = rules.skip(each)
          if (named !== null) expect(after.get(each.path)!.skipReason).toBe(named)
          else expect([null, 'minified']).toContain(after.get(each.path)!.skipReason)
        }
      }),
    )
  })

  test('a second plan has nothing to do', () => {
    fc.assert(
      fc.property(trees, manifests, (tree, manifest) => {
        const after = apply(manifest, planChanges(tree, manifest, rules))
        expect(planChanges(tree, after, rules).every(({ kind }) => kind === 'keep')).toBe(true)
      }),
    )
  })

  test('each path is changed once, and a move costs nothing', () => {
    fc.assert(
      fc.property(trees, manifests, (tree, manifest) => {
        const changes = planChanges(tree, manifest, rules)
        const [left, found] = [changes.flatMap((change) => (change.kind === 'move' ? change.from : change.kind === 'remove' ? change.path : [])), tree.map((each) => each.path)]
        expect(new Set(left).size).toBe(left.length)
        expect(left.filter((each) => found.includes(each))).toEqual([])
        for (const change of changes) {
          if (change.kind !== 'move') continue
          expect(manifest.get(change.from)).toEqual(indexed(change.entry.blobSha))
          expect(extension(change.from)).toBe(extension(change.entry.path))
        }
      }),
    )
  })
})

describe('by example', () => {
  const plan = (tree: TreeEntry[], manifest: [string, ManifestEntry][], over: Partial<Rules> = {}) => planChanges(tree, new Map(manifest), { ...rules, ...over })

  test('a renamed folder is moves only', () => {
    const tree = ['a', 'b', 'c'].map((name) => entry(`lib/${name}.ts`, name))
    const manifest = ['a', 'b', 'c'].map((name): [string, ManifestEntry] => [`src/${name}.ts`, indexed(name)])
    expect(plan(tree, manifest)).toEqual(tree.map((each) => ({ kind: 'move', from: each.path.replace('lib', 'src'), entry: each })))
  })

  test('a copy is added, not moved', () => {
    expect(plan([entry('a.ts', '1'), entry('b.ts', '1')], [['a.ts', indexed('1')]]).map(({ kind }) => kind)).toEqual(['keep', 'add'])
  })

  test('a rename to another language is read again', () => {
    expect(plan([entry('a.md', '1')], [['a.ts', indexed('1')]]).map(({ kind }) => kind)).toEqual(['add', 'remove'])
  })

  test('a newer chunker reads everything again, moved or not', () => {
    const manifest: [string, ManifestEntry][] = [['a.ts', indexed('1')], ['b.ts', indexed('2')]]
    const kinds = plan([entry('a.ts', '1'), entry('c.ts', '2')], manifest, { chunkerVersion: version + 1 }).map(({ kind }) => kind)
    expect(kinds).toEqual(['change', 'add', 'remove'])
  })

  test('a file that a name rule no longer skips is read', () => {
    expect(plan([entry('a.ts', '1')], [['a.ts', indexed('1', { skipReason: 'vendored' })]])).toMatchObject([{ kind: 'change' }])
  })
})

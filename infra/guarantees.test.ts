import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync, Visitor } from 'vite'
import { expect, test } from 'vitest'

/** `docs/guarantees.md` names tests; a promise whose test was renamed or taken away must not stay as it was. */
const root = join(import.meta.dirname, '..')
const ids = [...Array.from({ length: 43 }, (_, at) => `T${at + 1}`), ...Array.from({ length: 32 }, (_, at) => `F${at + 1}`)]

type Row = { id: string; promise: string; proof: string }
const rows: Row[] = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, id, promise, proof] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return id && /^[TF]\d+$/.test(id) ? [{ id, promise: promise ?? '', proof: proof ?? '' }] : []
  })

/** Names that a file gives to its tests and groups, as they are written: `%s` and `$name` stay. */
function namesIn(path: string): Set<string> {
  const names = new Set<string>()
  const { program } = parseSync(path, readFileSync(join(root, path), 'utf8'))
  new Visitor({
    CallExpression({ arguments: [first] }) {
      if (first?.type === 'Literal' && typeof first.value === 'string') names.add(first.value)
      if (first?.type === 'TemplateLiteral' && first.quasis.length === 1) names.add(first.quasis[0]!.value.cooked ?? '')
    },
  }).visit(program)
  return names
}

test('every threat and every fault has one line', () => {
  expect(rows.map(({ id }) => id)).toEqual(ids)
  expect(rows.filter(({ promise, proof }) => promise === '' || proof === '')).toEqual([])
})

test('each line names tests that are there, or says why there is none', () => {
  const known = new Map<string, Set<string>>()
  const missing = rows.flatMap(({ id, proof }) => {
    if (!proof.includes(' › ')) return /^not tested here: /.test(proof) ? [] : [`${id} names neither a test nor a reason`]
    return proof.split(/;\s+(?=\S+\.test\.ts › )/).flatMap((named) => {
      const [path = '', title = ''] = named.split(' › ').map((part) => part.trim().replaceAll('\\|', '|'))
      if (!existsSync(join(root, path))) return [`${id}: there is no ${path}`]
      if (!known.has(path)) known.set(path, namesIn(path))
      return known.get(path)!.has(title) ? [] : [`${id}: ${path} has no test «${title}»`]
    })
  })
  expect(missing).toEqual([])
})

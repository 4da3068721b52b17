import fc from 'fast-check'
import { nastyJson } from './arbitrary-of.ts'

type Path = readonly (string | number)[]
type Change = { at: number; how: (value: unknown) => unknown }

/**
 * A payload with some of its nodes changed: gone, of another type, out of range, twice, two thousand times, wrapped, a hundred thousand characters long, or with
 * keys that mean something to JavaScript. With no change at all, it is the payload as it was.
 */
export function mutationsOf(payload: unknown): fc.Arbitrary<unknown> {
  const nodes = [...pathsOf(payload)]
  const change: fc.Arbitrary<Change> = fc.record({ at: fc.nat(nodes.length - 1), how: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...changes) }, { weight: 1, arbitrary: nastyJson.map((other) => () => other) }) })
  return fc.array(change, { maxLength: 4 }).map((list) => list.reduce((changed, { at, how }) => changeAt(changed, nodes[at] ?? [], how), payload))
}

const gone = Symbol('gone')

const changes: readonly ((value: unknown) => unknown)[] = [
  () => gone,
  () => null,
  () => '',
  () => [],
  () => ({}),
  () => '\0',
  () => '\ud800',
  () => -1,
  () => 2 ** 60,
  () => '9'.repeat(400),
  () => 'x'.repeat(100_000),
  () => '<@U0NURABOT> '.repeat(2_000),
  (value) => [value, value],
  (value) => ({ value }),
  // An earlier change may have given an object a `toString` that is none.
  (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)),
  (value) => (typeof value === 'object' ? value : Number(value)),
  (value) => repeat(value, 2_000),
  (value) => nest(value, 40),
  (value) => withKeys(value, ['__proto__', { polluted: true }]),
  (value) => withKeys(value, ['constructor', { prototype: { polluted: true } }]),
  (value) => withKeys(value, ['toString', 'not a function'], ['hasOwnProperty', 1], ['then', 'x']),
]

const mostText = 500_000

/** As often as that, or until it is long. */
function repeat(value: unknown, times: number): unknown[] {
  const size = (JSON.stringify(value) ?? '').length + 1
  return Array.from({ length: Math.min(times, Math.ceil(mostText / size)) }, () => value)
}

function nest(value: unknown, levels: number): unknown {
  return levels === 0 ? value : nest(levels % 2 === 0 ? [value] : { deeper: value }, levels - 1)
}

/** Own properties, as `JSON.parse` makes them: `__proto__` too. */
function withKeys(value: unknown, ...entries: [string, unknown][]): unknown {
  const made = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : { value }
  for (const [key, held] of entries) Object.defineProperty(made, key, { value: held, enumerable: true, configurable: true, writable: true })
  return made
}

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) yield* pathsOf((value as Record<string, unknown>)[key], [...path, Array.isArray(value) ? Number(key) : key])
}

/** The node at `path` changed, everything else as it was; where an earlier change took the path away, nothing happens. */
function changeAt(value: unknown, path: Path, how: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) {
    const changed = how(value)
    return changed === gone ? null : changed
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return value
  const held = (value as Record<string | number, unknown>)[key]
  const changed = rest.length === 0 ? how(held) : changeAt(held, rest, how)
  if (Array.isArray(value)) return changed === gone ? value.toSpliced(Number(key), 1) : value.with(Number(key), changed)
  const { [key]: _, ...others } = value as Record<string, unknown>
  return changed === gone ? others : withKeys(value, [String(key), changed])
}

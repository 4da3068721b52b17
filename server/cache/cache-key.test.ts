import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toCacheKey, toTenantStart } from './cache-key.ts'
import type { KeyPart } from './cache-key.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', '"', ',', '[', ']', '\\', ':', '\0', '\ud800', '\udc00') }))
const { parts } = fc.letrec<{ parts: KeyPart[]; part: KeyPart }>((tie) => ({
  part: fc.oneof({ maxDepth: 3 }, text, fc.constant(null), tie('parts')),
  parts: fc.array(tie('part'), { maxLength: 4 }),
}))
const purpose = fc.constantFrom('answer', 'thread', 'query-embedding')
const source = fc.tuple(purpose, text, parts)

test('two keys are the same for the same purpose, tenant and parts alone', () => {
  // Half of the pairs are near misses: the same text cut elsewhere.
  const pair = fc.oneof(
    fc.tuple(source, source),
    fc.tuple(source, text, fc.nat({ max: 6 })).map(([[for_, tenant, rest], joined, cut]) => [
      [for_, tenant, [joined, ...rest]],
      [for_, tenant, [joined.slice(0, cut), joined.slice(cut), ...rest]],
    ] as [typeof a, typeof a]),
  )
  const a = ['answer', '', []] as ['answer' | 'thread' | 'query-embedding', string, KeyPart[]]
  fc.assert(
    fc.property(pair, ([one, other]) => {
      const isSame = JSON.stringify(one) === JSON.stringify(other)
      expect(toCacheKey(...one).text === toCacheKey(...other).text).toBe(isSame)
      expect(toCacheKey(...one).text).toBe(toCacheKey(...(structuredClone(one) as typeof one)).text)
    }),
    { numRuns: 2_000 },
  )
})

test('a key shows its purpose and nothing of the question, and begins as no other tenant’s', () => {
  fc.assert(
    fc.property(text, text, parts, (tenant, other, rest) => {
      const key = toCacheKey('answer', tenant, ['where is the canary?', ...rest])
      expect(key.text).toMatch(/^[\w-]{22}:answer:[\w-]{43}$/)
      expect(key.text.startsWith(toTenantStart(tenant))).toBe(true)
      if (tenant !== other) expect(key.text.startsWith(toTenantStart(other))).toBe(false)
    }),
  )
})

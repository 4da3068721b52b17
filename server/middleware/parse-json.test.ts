import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseJson } from './parse-json.ts'

const refusal = (text: string, odd: 'refuse' | 'mend') => {
  try {
    parseJson(text, { odd })
    return null
  } catch (error) {
    return (error as { code: string }).code
  }
}

test.each(['refuse', 'mend'] as const)('T35: depth is judged before parsing, brackets in text do not count (%s)', (odd) => {
  for (const [open, close] of [['[', ']'], ['{"a":', '}']] as const) {
    expect(refusal(`${open.repeat(10_000)}1${close.repeat(10_000)}`, odd)).toBe('bad-json')
    expect(refusal(`${open.repeat(65)}1${close.repeat(65)}`, odd)).toBe('bad-json')
    expect(refusal(`${open.repeat(64)}1${close.repeat(64)}`, odd)).toBeNull()
  }
  expect(parseJson(JSON.stringify(['['.repeat(1_000), '\\"['.repeat(1_000)]), { odd })).toEqual(['['.repeat(1_000), '\\"['.repeat(1_000)])
  // Never closed, and closed before it was opened.
  expect(refusal('['.repeat(200_000), odd)).toBe('bad-json')
  expect(refusal(`${']'.repeat(100)}${'['.repeat(100)}`, odd)).toBe('bad-json')
})

describe('what the store cannot keep', () => {
  it('is refused in our own API', () => {
    for (const text of ['{"__proto__":{"isAdmin":true}}', '{"a":{"__proto__":1}}', '{"a":"\\u0000"}', '["\\u0000"]']) expect(refusal(text, 'refuse')).toBe('bad-json')
    expect(parseJson('{"a":"\\ud800"}', { odd: 'refuse' })).toEqual({ a: '\ufffd' })
  })

  it('is mended in what a platform passes on', () => {
    const read = parseJson('{"__proto__":{"isAdmin":true},"a":{"__proto__":1,"b":"x\\u0000\\ud800"},"constructor":{"prototype":{"isAdmin":true}}}', { odd: 'mend' }) as Record<string, unknown>
    expect(read).toEqual({ a: { b: 'x\ufffd\ufffd' }, constructor: { prototype: { isAdmin: true } } })
    expect(Object.hasOwn(read, '__proto__')).toBe(false)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })
})

it('gives back every other value as it was', () => {
  const value = fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' }).filter((each) => !/\\u0000|__proto__/.test(JSON.stringify(each)))
  fc.assert(fc.property(value, (each) => {
    const text = JSON.stringify(each)
    for (const odd of ['refuse', 'mend'] as const) expect(JSON.stringify(parseJson(Buffer.from(text), { odd }))).toBe(text)
  }))
})

it('refuses bytes that are no text, and text that is no JSON', () => {
  expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]), { odd: 'mend' })).toThrow('not UTF-8')
  expect(() => parseJson('', { odd: 'refuse' })).toThrow('empty')
  expect(() => parseJson('{"a":', { odd: 'refuse' })).toThrow('not valid JSON')
})

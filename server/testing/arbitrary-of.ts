import fc from 'fast-check'
import { z } from 'zod'

type Json = Record<string, unknown>

/** Values that a schema describes, as far as JSON Schema can say it: mostly valid, and close to valid otherwise. */
export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return fromJson(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json)
}

/** Text that breaks things: control characters, lone surrogates, quotes, paths, SQL, very long. */
const nastyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', ' ', '\0', '\ud800', '__proto__', 'constructor', "'; drop table answer; --", '../../etc/passwd', '%00', '\u202e', '💥'.repeat(50), 'x'.repeat(9_000)),
)

/** Anything JSON can hold. */
export const nastyJson: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom(null, true, 0, -1, 1e308, 2 ** 53, [], {}, [[[[]]]], { kind: 'person' }),
  fc.jsonValue({ maxDepth: 4 }),
)

function fromJson(schema: Json): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...(schema.enum as unknown[]))
  const choices = (schema.oneOf ?? schema.anyOf) as Json[] | undefined
  if (choices) return fc.oneof(...choices.map(fromJson))
  switch (schema.type) {
    case 'object':
      return fromObject(schema)
    case 'array':
      return fc.array(fromJson((schema.items as Json) ?? {}), { maxLength: 3 })
    case 'string':
      return schema.format === 'uuid' ? fc.uuid() : fc.oneof({ weight: 3, arbitrary: fc.string({ minLength: 1, maxLength: 40 }) }, { weight: 1, arbitrary: nastyText })
    case 'integer':
    case 'number':
      return fc.integer({ min: -3, max: 60 })
    case 'boolean':
      return fc.boolean()
    default:
      return nastyJson
  }
}

function fromObject({ properties = {}, required = [] }: { properties?: Record<string, Json>; required?: string[] }): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, fc.oneof({ weight: 9, arbitrary: fromJson(of) }, { weight: 1, arbitrary: nastyJson })]))
  return fc.record(fields, { requiredKeys: required })
}

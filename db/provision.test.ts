import { expect, test } from 'vitest'
import { toSchemaName } from './provision.ts'

const id = '0f3c6a52-5d0e-4b7a-9c1d-8e2f4a6b7c80'
const schema = 't_0f3c6a525d0e4b7a9c1d8e2f4a6b7c80'

test('a tenant has one schema however its id is written', () => {
  expect([id, id.toUpperCase(), id.replaceAll('-', '')].map(toSchemaName)).toEqual([schema, schema, schema])
})

test('what is more or less than an id names no schema', () => {
  for (const hostile of ['', 'nura', schema, id.slice(1), `${id}0`, `${id}"; drop schema nura cascade; --`, `"; drop schema nura cascade; --${schema}`, `${id}\n`, `${id.slice(1)}g`]) {
    expect(() => toSchemaName(hostile), hostile).toThrow(expect.objectContaining({ code: 'unknown-tenant', message: 'There is no such tenant.' }))
  }
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entities } from './entities.ts'
import type { Db, TenantDb } from './index.ts'
import { storeOf } from './store.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

/** PostgreSQL's own name of a type that an entity names by an alias. */
const toTypeName = (type: string) => type.replace(/^timestamptz(\(\d\))?$/, 'timestamp with time zone').replace(/^int$/, 'integer')

describe.each(entities.map((entity) => [entity.meta.className, entity] as const))('%s', (className) => {
  test('maps columns that its table has, with the same type and the same right to be null', async () => {
    const meta = storeOf(db).orm.getMetadata().getByClassName(className)
    const read = meta.schema === '*' ? tenant.transaction : db.control
    const schema = meta.schema === '*' ? tenant.schema : 'nura'
    const columns = await read((tx) =>
      tx.query<{ name: string; type: string; nullable: boolean }>(
        `select attname as name, format_type(atttypid, atttypmod) as type, not attnotnull as nullable from pg_attribute
         where attrelid = format('%I.%I', $1::text, $2::text)::regclass and attnum > 0`,
        [schema, meta.tableName],
      ),
    )
    const table = new Map(columns.map(({ name, ...column }) => [name, column]))
    const mapped = Object.fromEntries(meta.props.map((prop) => [prop.fieldNames[0]!, { type: toTypeName(prop.columnTypes[0]!), nullable: prop.nullable ?? false }]))
    expect(mapped).toEqual(Object.fromEntries(Object.keys(mapped).map((name) => [name, table.get(name)])))
  })
})

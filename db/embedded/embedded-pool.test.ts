import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEmbeddedPool, type EmbeddedPool } from './embedded-pool.ts'

let db: PGlite
let pool: EmbeddedPool
beforeAll(async () => {
  db = await PGlite.create('memory://')
  pool = createEmbeddedPool(db)
  await pool.query('create table seen (id int primary key, note text)')
})
afterAll(async () => {
  await pool.end()
  await db.close()
})

test('a statement of another client waits until the open transaction ends, and takes no part in it', async () => {
  const [one, other] = [await pool.connect(), await pool.connect()]
  await one.query('begin')
  await one.query(`insert into seen values (1, 'mine')`)
  const waiting = [other.query(`insert into seen values (2, 'theirs')`), pool.query('select count(*)::int as rows from seen')]
  await one.query('rollback')
  const [, counted] = await Promise.all(waiting)
  expect(counted!.rows).toEqual([{ rows: 1 }])
  one.release()
  other.release()
})

test('a client that is given back inside a transaction leaves nothing of it', async () => {
  const client = await pool.connect()
  await client.query('begin; set local role pg_monitor')
  await client.query(`select current_user`)
  client.release()
  expect((await pool.query('select current_user as who')).rows).toEqual([{ who: 'postgres' }])
  await expect(client.query('select 1')).rejects.toThrow(/released/)
})

test('a BEGIN that fails half way holds nobody up', async () => {
  const client = await pool.connect()
  await expect(client.query('begin; set local role nobody_at_all')).rejects.toThrow(/nobody_at_all/)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  client.release()
})

test('savepoints keep the transaction', async () => {
  const client = await pool.connect()
  await client.query('begin')
  await client.query('savepoint here')
  await expect(client.query('select no_such_column')).rejects.toThrow(/no_such_column/)
  await client.query('rollback to savepoint here')
  await client.query(`insert into seen values (9, 'kept')`)
  await client.query('commit')
  client.release()
  expect((await pool.query('select note from seen where id = 9')).rows).toEqual([{ note: 'kept' }])
})

test('values and rows are converted as node-postgres does', async () => {
  const values = [12n, new Date('2026-01-02T03:04:05.678Z'), { a: [1] }, ['x', 'y"', null], true, Buffer.from([0, 255]), 1.5, null]
  const { rows } = await pool.query(
    'select $1::int8 as big, $2::timestamptz as at, $3::jsonb as json, $4::text[] as texts, $5::bool as yes, $6::bytea as bytes, $7::float8 as number, $8::text as nothing',
    values,
  )
  expect(rows).toEqual([{ big: '12', at: values[1], json: { a: [1] }, texts: ['x', 'y"', null], yes: true, bytes: Buffer.from([0, 255]), number: 1.5, nothing: null }])
})

test('the error of a statement does not carry its values', async () => {
  const error = await pool.query('select $1::int', ['the-secret']).catch((thrown: Error) => thrown)
  expect(Object.keys(error)).not.toContain('params')
  expect(error).toMatchObject({ code: '22P02' })
})

test('a notification reaches every client of the pool', async () => {
  const listener = await pool.connect()
  await listener.query('listen news')
  const heard = new Promise((resolve) => listener.on('notification', resolve))
  await pool.query(`select pg_notify('news', 'extra')`)
  expect(await heard).toMatchObject({ channel: 'news', payload: 'extra' })
  listener.release()
})

import { randomUUID } from 'node:crypto'
import pg from 'pg'

/** A database with a login as `infra/postgres/10-nura.sh` makes them: not a superuser. */
export type OrdinaryLogin = { name: string; url: string; close(): Promise<void> }

/** @param server address of a PostgreSQL as a superuser, such as tests have */
export async function createOrdinaryLogin(server: string): Promise<OrdinaryLogin> {
  const name = `nura_login_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  const url = new URL(server)
  url.pathname = `/${name}`
  await administer(server, `create role ${name} login createrole password 'ordinary'`, `create database ${name} owner ${name}`)
  await administer(url.href, 'create schema extensions', 'create extension vector with schema extensions', 'grant usage on schema extensions to public')
  url.username = name
  url.password = 'ordinary'
  const close = async () => {
    const roles = await administer(server, `select format('drop role %I', roleid::regrole) as drop from pg_auth_members where member = '${name}'::regrole and roleid::regrole::text ~ '^t_[0-9a-f]{32}$'`)
    await administer(server, `drop database if exists ${name} with (force)`, ...roles.map(({ drop }) => drop!), `drop role ${name}`)
  }
  return { name, url: url.href, close }
}

async function administer(url: string, ...statements: string[]): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Record<string, string>[] = []
    for (const statement of statements) rows = (await client.query<Record<string, string>>(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

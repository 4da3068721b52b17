import type { Db } from '../index.ts'

/** The GitHub account that a person of another surface has proved to be theirs. The login is what it was then. */
export type GithubPerson = { githubId: number; login: string }

export async function linkGithubPerson(db: Db, { tenantId, reader, githubId, login }: GithubPerson & { tenantId: string; reader: string }): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into github_person (tenant_id, reader, github_id, login) values ($1, $2, $3, $4)
       on conflict (tenant_id, reader) do update set github_id = excluded.github_id, login = excluded.login, linked_at = now()`,
      [tenantId, reader, githubId, login],
    ),
  )
}

export async function findGithubPerson(db: Db, tenantId: string, reader: string): Promise<GithubPerson | null> {
  const rows = await db.control((tx) =>
    tx.query<GithubPerson>('select github_id::float8 as "githubId", login from github_person where tenant_id = $1 and reader = $2', [tenantId, reader]),
  )
  return rows[0] ?? null
}

export async function unlinkGithubPerson(db: Db, tenantId: string, reader: string): Promise<boolean> {
  return (await db.control((tx) => tx.execute('delete from github_person where tenant_id = $1 and reader = $2', [tenantId, reader]))) > 0
}

/** What must hold if nothing is to leak, and the tests that say so: each small change of `mutate` must make one of `tests` fail. */
export type GuardedModule = {
  name: string
  mutate: readonly string[]
  tests: readonly string[]
  /** It keeps what it has learned, so that a test may rest on lines that an earlier one ran: each change then meets all tests. */
  remembers?: true
  /** Its tests run on a private PostgreSQL of this machine: it has lines whose loss the embedded store, with its one session, does not show. */
  needsServers?: true
  /** What it does is written in tables and expressions that are read once, so that these are changed too. Takes a fast test. */
  tables?: true
}

export const modules: readonly GuardedModule[] = [
  {
    name: 'auth',
    mutate: ['server/middleware/authenticate.ts', 'server/github/signature.ts', 'bot/slack/signature.ts', 'bot/teams/identity.ts'],
    tests: ['server/middleware/authenticate.test.ts', 'server/github/signature.test.ts', 'bot/slack/signature.test.ts', 'bot/teams/identity.test.ts'],
  },
  {
    name: 'tenants',
    mutate: ['db/tenant-db.ts', 'db/transaction.ts', 'db/provision.ts'],
    tests: [
      'db/isolation.test.ts', 'db/migrate.test.ts', 'db/entities.test.ts', 'db/server-pool.test.ts', 'db/transaction.test.ts', 'db/tenant-db.test.ts',
      'db/provision.test.ts',
    ],
    needsServers: true,
  },
  {
    name: 'redaction',
    mutate: ['server/indexing/redact.ts', 'server/indexing/detectors.ts', 'server/indexing/find-secrets.ts'],
    tests: ['server/indexing/redact.test.ts', 'server/indexing/detectors.test.ts', 'server/indexing/find-secrets.test.ts'],
    tables: true,
  },
  {
    name: 'links',
    mutate: ['server/retrieval/clean-text.ts'],
    tests: ['server/retrieval/clean-text.test.ts', 'server/retrieval/check-citations.test.ts'],
  },
  {
    name: 'router',
    mutate: ['server/agents/choose.ts'],
    tests: ['server/agents/choose.test.ts'],
    remembers: true,
  },
]

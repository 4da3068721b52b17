import { MikroORM, type EntityManager, type EntitySchema } from '@mikro-orm/postgresql'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type CompiledQuery, type Dialect, type Driver } from 'kysely'
import type { PoolClient } from './pool.ts'

/**
 * MikroORM for mapping only: it has no connection of its own. Entity managers come from `openEntityManager`, inside a
 * transaction that already carries the role, so that no entity can be read or written outside one.
 */
export function createOrm(entities: EntitySchema[]): MikroORM {
  const driverOptions = toDialect(() => new NoDriver())
  return new MikroORM({ entities, dbName: 'nura', driverOptions, ensureDatabase: false, discovery: { warnWhenNoEntities: false } })
}

/** An entity manager that speaks through `client` alone. It takes part in the open transaction and opens none. */
export function openEntityManager(orm: MikroORM, client: PoolClient, schema: string): EntityManager {
  const em = orm.em.fork({ schema, clear: true, freshEventManager: true })
  em.setTransactionContext(new Kysely({ dialect: toDialect(() => new HeldDriver(client)) }))
  return em as EntityManager
}

function toDialect(createDriver: () => Driver): Dialect {
  return {
    createDriver,
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  }
}

class NoDriver extends DummyDriver {
  override async acquireConnection(): Promise<never> {
    throw new Error('Entities are reached inside tenant.transaction or db.control only.')
  }
}

class HeldDriver extends DummyDriver {
  readonly #client: PoolClient

  constructor(client: PoolClient) {
    super()
    this.#client = client
  }

  override async acquireConnection() {
    return {
      executeQuery: async <Row>(query: CompiledQuery) => {
        const { rows, rowCount } = await this.#client.query<Row>(query.sql, query.parameters)
        return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
      },
      streamQuery: () => {
        throw new Error('Streaming is not offered inside a transaction.')
      },
    }
  }
}

/**
 * The part of node-postgres' pool that Nura and its queue use: what a server's pool and the embedded one have in common.
 */
export type PoolResult<Row = Record<string, unknown>> = { rows: Row[]; rowCount: number | null; command: string }
export type PoolQuery = { text: string; values?: readonly unknown[]; name?: string; query_timeout?: number }

export type PoolClient = {
  /** Without values the text may hold several statements; the result is then the last one's. */
  query<Row = Record<string, unknown>>(query: string | PoolQuery, values?: readonly unknown[]): Promise<PoolResult<Row>>
  /** A truthy argument destroys the connection instead of lending it again. */
  release(destroy?: Error | boolean): void
}

export type Pool = {
  connect(): Promise<PoolClient>
  end(): Promise<void>
}

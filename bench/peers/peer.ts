/** One row as every store gets it: `group` is what a filter keeps apart. */
export type Row = { id: string; text: string; vector: number[]; group: string }

/** Somebody else's store of vectors, driven through its own API alone. */
export type Peer = {
  name: string
  /** How its index comes about, for the label. */
  index: 'built after the rows' | 'live'
  write(rows: Row[]): Promise<void>
  /** After the last row; nothing to do where the index is live. */
  endWrite(): Promise<void>
  /** Settings of the planner and of pgvector, for the searches from now on. */
  set(settings: Settings): Promise<void>
  /** Ids of the nearest rows, the nearest first. */
  search(vector: number[], limit: number, group: string | null): Promise<string[]>
  /** The statement that the last search sent, to be explained. */
  lastStatement(): Statement | null
  close(): Promise<void>
}

export type Settings = Record<string, string | number>
export type Statement = { text: string; values: unknown[] }
export type OpenPeer = (url: string) => Promise<Peer>

/** As one text of statements. */
export const toSet = (settings: Settings): string => Object.entries(settings).map(([name, value]) => `set ${name} to '${value}'`).join('; ')

type Query = (statement: unknown, values?: unknown) => unknown

/** Remembers the last statement that orders by distance among those that go through `target.query`. */
export function watchStatements(target: { query: unknown }, keep: (statement: Statement) => void): void {
  const query = (target.query as Query).bind(target)
  target.query = (statement: unknown, values?: unknown, ...rest: []) => {
    const text = typeof statement === 'string' ? statement : (statement as Statement).text
    if (/<=>/.test(text) && /order by/i.test(text)) keep({ text, values: (values ?? (statement as Statement).values ?? []) as unknown[] })
    return query(statement, values, ...rest)
  }
}

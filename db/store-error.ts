import { NuraError } from './nura-error.ts'

/** Server states that pass by themselves: shutdown and recovery, connections exhausted, deadlock, serialisation, read-only after a failover. */
const passing = new Set(['57P01', '57P02', '57P03', '53300', '53400', '40001', '40P01', '25006', '55P03'])
const network = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'ENOTFOUND', 'EHOSTUNREACH'])

/** Says what a failure of the store means for the caller; an error that is a fault of ours passes through as it is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof NuraError) return error
  const code = (error as { code?: string }).code ?? ''
  if (code === '57014') return new NuraError('store-timeout', 'The database took too long for one statement. Try again; if it stays, look at the load of the database.', { retryable: true, cause: error })
  if (code === '53100') return new NuraError('store-full', 'The database has no disk space left. Free some and try again.', { retryable: true, cause: error })
  if (passing.has(code) || code.startsWith('08')) return unavailable(error)
  if (network.has(code)) return unavailable(error)
  if (/timeout exceeded when trying to connect|Connection terminated|Query read timeout|not queryable/i.test(error.message)) return unavailable(error)
  return error
}

function unavailable(cause: Error): NuraError {
  return new NuraError('store-unavailable', 'The database does not answer. Check that it runs and that DATABASE_URL is right; Nura goes on by itself once it is back.', { retryable: true, cause })
}

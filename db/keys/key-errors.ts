import { NuraError } from '../nura-error.ts'

export function unreadable(cause?: unknown): NuraError {
  return new NuraError('secret-unreadable', 'A stored token was changed, belongs to another tenant, or its key was destroyed. Install the app again, or give the token again.', { cause })
}

export function keyMissing(): NuraError {
  return new NuraError('encryption-key-missing', 'Tokens are stored encrypted only. Set NURA_ENCRYPTION_KEY to 32 random bytes in base64: openssl rand -base64 32')
}

/** @param id of the master key that is needed */
export function keyWrong(id: string): NuraError {
  return new NuraError('encryption-key-wrong', `A stored token was encrypted with another key (id ${id}). Set NURA_ENCRYPTION_KEY to that key, or add it to NURA_ENCRYPTION_KEY_PREVIOUS, or install the app again.`)
}

import { NuraError } from '#db/nura-error.ts'

/** GitHub does not show the App something, for want of a permission or because it is not there. */
export function isRefused(error: unknown): boolean {
  return error instanceof NuraError && (error.code === 'github-forbidden' || error.code === 'github-not-found')
}

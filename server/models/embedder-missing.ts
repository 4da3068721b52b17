import { NuraError } from '#db/nura-error.ts'

/** What to do where a tenant's index is in a space that this process has no model of. */
export function embedderMissing(space: string): NuraError {
  return new NuraError('embedder-missing', `This process has no embedder of the space ${space}. Add its model to EMBEDDING_MODELS, the same for every process, and start them again.`)
}

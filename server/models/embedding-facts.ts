import { NuraError } from '#db/nura-error.ts'

/** `price`: US dollars for a million tokens; a model on one's own machines costs none. */
export type EmbeddingFacts = { space: string; price: number }

/** The embedding models that are known by more than one name or have a price, by name in lower case. List prices. */
const facts: Readonly<Record<string, EmbeddingFacts>> = {
  'text-embedding-3-large': { space: 'text-embedding-3-large/1024', price: 0.13 },
  'text-embedding-3-small': { space: 'text-embedding-3-small/1024', price: 0.02 },
  'baai/bge-m3': { space: 'bge-m3/1024', price: 0 },
  'bge-m3': { space: 'bge-m3/1024', price: 0 },
}

/**
 * The space of a model, whoever serves it: vectors of the same model can be compared, so its name alone decides.
 * @throws NuraError `bad-model` for a name that no space can have
 */
export function findEmbeddingFacts(model: string): EmbeddingFacts {
  const name = model.toLowerCase()
  const known = facts[name]
  if (known) return known
  // Two names must not become one space, so nothing is replaced.
  if (!/^[a-z0-9][a-z0-9._:/-]{0,110}$/.test(name)) {
    throw new NuraError('bad-model', `"${model.slice(0, 80)}" cannot name an embedding space: serve the model under a name of letters, digits and . _ : / - alone.`)
  }
  return { space: `${name}/1024`, price: 0 }
}

/** Whether the model returns as many dimensions as it is asked for. */
export function takesDimensions(model: string): boolean {
  return /^text-embedding-3-/i.test(model)
}

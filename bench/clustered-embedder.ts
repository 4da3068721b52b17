import { toTermHash } from '#db/tenant/terms.ts'
import { createRandom } from '#infra/testing/create-random.ts'
import { toEmbedders } from '#server/models/embedder.ts'
import { clusteredVector } from './clustered-vector.ts'

/** A text's vector is the same every time, and lies near one of 100 centres: an embedder that clusters as real ones do and costs little. */
export const clusteredEmbedders = toEmbedders([
  {
    space: 'bench:clustered',
    dimensions: 1024,
    maxBatch: 512,
    embed: async (texts) => texts.map((text) => clusteredVector(createRandom(toTermHash(text)))),
  },
])

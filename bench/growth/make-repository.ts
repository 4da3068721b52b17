import { readFile } from '#server/indexing/read-file.ts'
import { createGitSource } from '#server/sources/git.ts'
import { skipByEntry } from '#server/sources/skip.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { generateRepository } from '../generate-repository.ts'

/** What `generateRepository` makes of a file, on average. */
const chunksOfFile = 2

/** A repository of about `chunks` chunks: generated, or files of a checkout from all over its tree, as many as it has. */
export async function makeRepository(chunks: number, checkout: string | null): Promise<TestRepository> {
  return checkout === null ? generateRepository(chunks / chunksOfFile) : takeFiles(chunks, checkout)
}

async function takeFiles(chunks: number, checkout: string): Promise<TestRepository> {
  const source = createGitSource(checkout)
  const { sha } = await source.head()
  const entries = (await source.tree(sha)).filter((entry) => skipByEntry(entry) === null)
  // A blob's id is as good as a lot drawn, and the same in every run.
  entries.sort((left, right) => (left.blobSha < right.blobSha ? -1 : 1))
  const contents: Record<string, Buffer> = {}
  let [next, held] = [0, 0]
  for await (const { bytes, kept } of source.read(entries.map(({ blobSha }) => blobSha))) {
    const entry = entries[next++]!
    const { file } = await readFile(entry, bytes, 'bench:counted', kept)
    if (file.chunks.length > 0) contents[entry.path] = bytes
    held += file.chunks.length
    if (held >= chunks) break
  }
  return createRepository(contents)
}

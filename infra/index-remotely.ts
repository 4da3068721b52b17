import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { createGitSource } from '#server/sources/git.ts'
import { findGitRoot } from '#server/sources/git-root.ts'

const Connected = z.object({ id: z.string(), name: z.string(), state: z.string(), error: z.string().nullable(), indexedSha: z.string().nullable(), files: z.number() })
const Failed = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

/**
 * Has a running Nura of this machine connect the checkout that `dir` is in, and waits until its head is indexed.
 * @returns the repository's name.
 * @throws NuraError of the checkout, of the running Nura, or `not-indexed`
 */
export async function indexRemotely(url: string, dir: string, options: { out: NodeJS.WriteStream; signal: AbortSignal }): Promise<string> {
  const path = await findGitRoot(dir, options.signal)
  const { sha } = await createGitSource(path).head(options.signal)
  const connected = await request(url, '/v1/repositories', options.signal, { path })
  let last = ''
  for (;;) {
    const now = await request(url, `/v1/repositories/${connected.id}`, options.signal)
    if (now.indexedSha === sha) return now.name
    if (now.state === 'failed') throw new NuraError('not-indexed', now.error ?? `${now.name} could not be indexed.`)
    const line = `Indexing ${now.name}: ${now.files} files so far`
    if (line !== last) options.out.write(`${line}\n`)
    last = line
    await wait(500, undefined, { signal: options.signal })
  }
}

async function request(url: string, path: string, signal: AbortSignal, body?: unknown): Promise<z.infer<typeof Connected>> {
  const sent = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(new URL(path, url), { ...sent, signal }).catch((cause: unknown) => {
    throw new NuraError('server-unreachable', `The Nura that serves ${url} does not answer. Stop it and ask again.`, { cause })
  })
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok) return Connected.parse(answer)
  const failed = Failed.safeParse(answer)
  throw new NuraError(failed.data?.error.code ?? 'server-failed', failed.data?.error.message ?? `The Nura that serves ${url} answered ${response.status}.`)
}

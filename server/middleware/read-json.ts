import { NuraError } from '#db/nura-error.ts'
import { parseJson } from './parse-json.ts'
import { readBytes } from './read-bytes.ts'
import type { Readable } from './read-bytes.ts'

/** Largest JSON body, in bytes. */
export const bodyLimit = 256 * 1024

/**
 * Reads a request's JSON body. The size is judged before and while reading, the depth before parsing.
 *
 * A browser may send `text/plain` across sites without asking; requiring `application/json` is what stops a web page from
 * speaking to a Nura on loopback.
 * @throws NuraError `body-too-large`, `too-busy`, `unsupported-media-type`, `bad-json`
 */
export async function readJson(ctx: Readable): Promise<unknown> {
  const { headers } = ctx.req
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(headers['content-type'] ?? '')) {
    throw new NuraError('unsupported-media-type', 'Send the body as Content-Type: application/json, in UTF-8.')
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new NuraError('unsupported-media-type', 'Send the body without Content-Encoding.')
  }
  return parseJson(await readBytes(ctx, bodyLimit), { odd: 'refuse' })
}

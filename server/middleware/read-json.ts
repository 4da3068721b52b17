import type { IncomingMessage } from 'node:http'
import { NuraError } from '#db/nura-error.ts'
import { readBytes } from './read-bytes.ts'

/** Largest JSON body, in bytes. */
export const bodyLimit = 256 * 1024
const depthLimit = 32

/**
 * Reads a request's JSON body. The size is judged before and while reading, the depth before parsing.
 *
 * A browser may send `text/plain` across sites without asking; requiring `application/json` is what stops a web page from
 * speaking to a Nura on loopback.
 * @throws NuraError `body-too-large`, `unsupported-media-type`, `bad-json`
 */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(request.headers['content-type'] ?? '')) {
    throw new NuraError('unsupported-media-type', 'Send the body as Content-Type: application/json, in UTF-8.')
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new NuraError('unsupported-media-type', 'Send the body without Content-Encoding.')
  }
  return parse(await readBytes(request, bodyLimit))
}

/** @throws NuraError `bad-json` */
function parse(bytes: Buffer): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new NuraError('bad-json', 'The body is not UTF-8.', { cause })
  }
  if (depthOf(text) > depthLimit) throw new NuraError('bad-json', `The body nests deeper than ${depthLimit} levels.`)
  try {
    return JSON.parse(text, clean)
  } catch (cause) {
    if (cause instanceof NuraError) throw cause
    throw new NuraError('bad-json', text.trim() === '' ? 'The body is empty; send a JSON object.' : 'The body is not valid JSON.', { cause })
  }
}

/** Nothing in Nura wants these; PostgreSQL cannot store a NUL, and jsonb no lone surrogate. */
function clean(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new NuraError('bad-json', 'The body may not have a key named "__proto__".')
  if (typeof value !== 'string') return value
  if (value.includes('\0')) throw new NuraError('bad-json', 'Text in the body may not contain the character U+0000.', key === '' ? {} : { field: key })
  return value.toWellFormed()
}

/** Deepest nesting of brackets outside strings: one pass, so that a bomb is refused before it is built. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quoted) {
      if (char === '\\') at++
      else if (char === '"') quoted = false
    } else if (char === '"') quoted = true
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
  }
  return deepest
}

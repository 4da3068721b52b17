import { NuraError } from '#db/nura-error.ts'

/** Nothing that Nura reads nests deeper: its own API less than half so deep, cards and blocks of the platforms not a fifth. */
const depthLimit = 64

/**
 * Parses JSON from outside. The depth is judged before parsing, so that a bomb is refused before it is built. PostgreSQL stores
 * neither U+0000 nor a lone surrogate, and a key `__proto__` would change what an object is once it is copied.
 * @param options.odd what becomes of those three: `refuse` them, or `mend` what a platform passes on of its people
 * @throws NuraError `bad-json`
 */
export function parseJson(bytes: Uint8Array | string, options: { odd: 'refuse' | 'mend' }): unknown {
  const text = typeof bytes === 'string' ? bytes : decode(bytes)
  if (depthOf(text) > depthLimit) throw new NuraError('bad-json', `The body nests deeper than ${depthLimit} levels.`)
  try {
    return JSON.parse(text, options.odd === 'mend' ? mend : refuse)
  } catch (cause) {
    if (cause instanceof NuraError) throw cause
    // Without the cause: it quotes the body, and a log would.
    throw new NuraError('bad-json', text.trim() === '' ? 'The body is empty; send a JSON object.' : 'The body is not valid JSON.')
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new NuraError('bad-json', 'The body is not UTF-8.', { cause })
  }
}

function refuse(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new NuraError('bad-json', 'The body may not have a key named "__proto__".')
  if (typeof value !== 'string') return value
  if (value.includes('\0')) throw new NuraError('bad-json', 'Text in the body may not contain the character U+0000.', key === '' ? {} : { field: key })
  return value.toWellFormed()
}

function mend(key: string, value: unknown): unknown {
  if (key === '__proto__') return undefined
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd').toWellFormed() : value
}

/** Deepest nesting of brackets outside strings, in one pass. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (quoted) {
      if (char === backslash) at++
      else if (char === quote) quoted = false
    } else if (char === quote) quoted = true
    else if (char === openBrace || char === openBracket) deepest = Math.max(deepest, ++depth)
    else if (char === closeBrace || char === closeBracket) depth--
  }
  return deepest
}

const [quote, backslash, openBrace, openBracket, closeBrace, closeBracket] = ['"', '\\', '{', '[', '}', ']'].map((char) => char.charCodeAt(0))

import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { findSecrets, mergeSecrets } from './indexing/find-secrets.ts'
import type { Secret } from './indexing/find-secrets.ts'

export type { Logger } from 'pino'
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Keys that never reach a log, at the top of a line or one level down: secrets, people, and what people wrote. */
const secretKeys = ['authorization', 'cookie', 'token', 'botToken', 'secret', 'password', 'apiKey', 'signature', 'email']
const textKeys = ['question', 'text', 'markdown', 'content', 'body', 'payload', 'message_text']

/**
 * Opens a log of JSON lines. What is not known by its key is found by its shape: `scrub` runs over every line.
 * A turn's lines carry `trace`: take a child with `log.child({ trace })`.
 *
 * @param destination where lines go; stdout when absent.
 */
export function createLog(options: { level: LogLevel; process: string; destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: { process: options.process },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...secretKeys, ...textKeys].flatMap((key) => [key, `*.${key}`]), censor: '[hidden]' },
      serializers: { err: toLoggedError, error: toLoggedError },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? pino.destination({ dest: 1, sync: false }),
  )
}

type LoggedError = { type: string; code?: string; message: string; stack?: string; cause?: LoggedError }

/** Only these fields of an error are logged: drivers hang query parameters and request bodies on theirs. */
function toLoggedError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'thrown value that is not an Error' }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message.slice(0, 1000),
    ...(error.stack === undefined ? {} : { stack: error.stack.slice(0, 4000) }),
    ...(error.cause === undefined || depth > 3 ? {} : { cause: toLoggedError(error.cause, depth + 1) }),
  }
}

/**
 * Tokens are told with less of their shape here than in a tenant's files: a log has no use for what only begins as one. Each
 * pattern is linear: no nested repeats, bounded lengths.
 */
const shapes: [pattern: RegExp, kind: string][] = [
  [/xox[a-z](?:\.xox[a-z])?-[\w-]{8,200}|xapp-[\w-]{8,200}|gh[opsur]_\w{20,255}|\bsk-[\w-]{16,200}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]{0,4000}/g, 'token'],
  [/(?<=\bBearer )[\w.~+/=-]{8,4000}/g, 'token'],
  [/(?<=:\/\/[^\s:/@"]{1,100}:)[^\s@/"]{1,200}(?=@)/g, 'hidden'],
]
const email = /[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/gi

/**
 * Replaces what looks like a secret or an e-mail address; leaves JSON valid. Secrets are what they are to `redact`, by the
 * same table.
 */
export function scrub(line: string): string {
  const withoutSecrets = replace(line, (plain) => [...findSecrets(plain), ...shapes.flatMap(([pattern, kind]) => findAll(plain, pattern, kind))])
  // Only then: a password before the name of a host looks like an address too.
  return replace(withoutSecrets, (plain) => findAll(plain, email, 'email'))
}

function findAll(plain: string, pattern: RegExp, kind: string): Secret[] {
  return [...plain.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length, kind }))
}

function replace(line: string, find: (plain: string) => Secret[]): string {
  // Escapes become as many blanks: places stay the same, and the `n` of a line break is not the start of a word.
  const plain = line.includes('\\') ? line.replace(/\\(?:u[\da-fA-F]{4}|.)/g, (escape) => ' '.repeat(escape.length)) : line
  let clean = ''
  let at = 0
  for (const { start, end, kind } of mergeSecrets(find(plain))) {
    // What is found may reach over several strings: what stands between them stays.
    const [, ...between] = plain.slice(start, end).split(/("[^"]*(?:"|$))/)
    clean += `${line.slice(at, start)}[${kind}]${between.filter((_, index) => index % 2 === 0).join('')}`
    at = end
  }
  return clean + line.slice(at)
}

import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'

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

/** Shapes of secrets and of personal data. Each is linear: no nested repeats, bounded lengths. */
const shapes: [RegExp, string][] = [
  [/xox[a-z]-[\w-]{8,200}|xapp-[\w-]{8,200}/, '[slack token]'],
  [/gh[opsur]_\w{20,255}|github_pat_\w{20,255}/, '[github token]'],
  [/\bsk-[\w-]{16,200}/, '[api key]'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/, '[aws key]'],
  [/\beyJ[\w-]{8,4000}\.[\w-]{8,4000}\.[\w-]{0,4000}/, '[jwt]'],
  [/\bBearer [\w.~+/=-]{8,4000}/, 'Bearer [hidden]'],
  [/(?<=:\/\/[^\s:/@"\\]{1,100}:)[^\s@/"\\]{1,200}(?=@)/, '[hidden]'],
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[\w+/= -]|\\[nr]|[\n\r]){0,10000}/, '[private key]'],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/, '[email]'],
]

/** Each shape, or an escape of JSON, which is stepped over whole: the `u0000` of one is not the start of an address. */
const finders = shapes.map(([shape, name]) => [new RegExp(`(\\\\u[\\da-fA-F]{4}|\\\\.)|${shape.source}`, 'g'), name] as const)

/** Replaces what looks like a secret or an e-mail address; leaves JSON valid. */
export function scrub(line: string): string {
  return finders.reduce((text, [finder, name]) => text.replace(finder, (_, escaped?: string) => escaped ?? name), line)
}

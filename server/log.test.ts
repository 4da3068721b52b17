import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { createLog, scrub } from './log.ts'

function capture(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  write(createLog({ level: 'trace', process: 'test', destination: { write: (line: string) => void lines.push(line) } }))
  return lines
}

const secrets = [
  'xoxb-123456789012-abcdefABCDEF',
  'xapp-1-A123-456-abcdef',
  `ghp_${'a1B2'.repeat(9)}`,
  `ghs_${'a1B2'.repeat(9)}`,
  `github_pat_${'a1B2'.repeat(10)}`,
  `sk-ant-${'a1B2'.repeat(8)}`,
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOiJIUzI1NiJ9.eyJ0ZW5hbnQiOiJhIn0.c2lnbmF0dXJl',
  'Bearer abcdefgh12345678',
  'jane.doe+x@mail.example.com',
]

describe('log', () => {
  it.each(secrets)('hides %s wherever it stands', (secret) => {
    const error = new Error(`failed with ${secret}`, { cause: new Error(`because ${secret}`) })
    const lines = capture((log) => {
      log.info({ note: secret, deep: { deeper: { deepest: secret } } }, `said ${secret} loudly`)
      log.error({ err: error }, 'broke')
      log.child({ who: secret }).warn('child')
    })
    expect(lines).toHaveLength(3)
    expect(lines.join('')).not.toContain(secret)
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow()
  })

  it('hides the password of an address but not the address', () => {
    expect(scrub('postgres://nura:hunter2@db.internal:5432/nura')).toBe('postgres://nura:[Password]@db.internal:5432/nura')
  })

  it('hides a private key whole, with the line breaks in it', () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEabc+/=\n'.repeat(20)}-----END RSA PRIVATE KEY-----`
    const [line] = capture((log) => log.info({ note: `"${key}"` }, 'x')) as [string]
    expect(line).not.toContain('MIIE')
    expect(JSON.parse(line).note).toBe('"[PrivateKey]"')
  })

  it('finds a secret behind a line break, and one that only the name before it tells, however deep', () => {
    const token = `npm_${'a1B2'.repeat(9)}`
    const [line] = capture((log) => log.info({ note: `first\n${token}\tlast`, a: { b: { c: { apiKey: 'q8Zr2LmX5vTn0WdY7sKe3BpH' } } } }, 'x')) as [string]
    expect(line).not.toContain(token)
    expect(line).not.toContain('q8Zr2LmX5vTn0WdY7sKe3BpH')
    expect(JSON.parse(line).note).toBe('first\n[npm]\tlast')
  })

  it('hides what people wrote, by its key, and what drivers hang on errors', () => {
    const error = Object.assign(new Error('insert failed'), { parameters: ['canary'], detail: 'Key (question)=(canary)' })
    const lines = capture((log) => log.error({ err: error, question: 'canary', request: { text: 'canary', authorization: 'canary' } }, 'broke'))
    expect(lines.join('')).not.toContain('canary')
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'error', process: 'test', msg: 'broke', err: { message: 'insert failed' } })
  })

  it('keeps code, stack and cause of an error', () => {
    const lines = capture((log) => log.error({ err: new NuraError('queue-unavailable', 'away', { cause: new Error('reset') }) }, 'x'))
    expect(JSON.parse(lines[0] as string).err).toMatchObject({ type: 'NuraError', code: 'queue-unavailable', cause: { message: 'reset' }, stack: expect.stringContaining('log.test.ts') })
  })

  it('stays one line of JSON whatever is logged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom(...secrets), (text, secret) => {
        const [line] = capture((log) => log.info({ note: text + secret + text }, text)) as [string]
        expect(line.trimEnd()).not.toContain('\n')
        JSON.parse(line)
      }),
    )
  })
})

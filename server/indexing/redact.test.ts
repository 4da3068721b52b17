import { rules } from '@secretlint/secretlint-rule-preset-recommend'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkFile } from './chunk.ts'
import { findSecrets } from './find-secrets.ts'
import { placeholders, redact, scannerNames } from './redact.ts'

/** Random-looking text that is the same in every run; no secret is written in this file. */
function random(length: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', seed = 7): string {
  let state = seed
  return Array.from({ length }, () => alphabet[((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16) % alphabet.length]).join('')
}
const hex = (length: number) => random(length, '0123456789abcdef')
const upper = (length: number) => random(length, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')
const join = (...parts: string[]) => parts.join('')
const dashes = '-'.repeat(5)
const pem = (kind: string, newline = '\n') =>
  [`${dashes}BEGIN ${kind}PRIVATE KEY${dashes}`, join('MIIE', random(60)), ...Array.from({ length: 8 }, (_, at) => random(64, undefined, at + 1)), join(random(30), '=='), `${dashes}END ${kind}PRIVATE KEY${dashes}`].join(newline)

/** One real-looking value of each kind that the preset and our own table know. */
const samples: [kind: string, secret: string, around?: (secret: string) => string][] = [
  ['AWS', join('AKIA', upper(16))],
  ['AWS', random(40), (secret) => `aws_secret_access_key = "${secret}"`],
  ['AWS', random(40), (secret) => `AWS_SECRET_ACCESS_KEY=${secret}`],
  ['GitHub', join('ghp', '_', random(36))],
  ['GitHub', join('github', '_pat_', random(82))],
  ['GitLab', join('glpat', '-', random(20))],
  ['GitLab', join('gldt', '-', random(20))],
  ['Slack', join('xoxb', '-', random(12, '0123456789'), '-', random(12, '0123456789'), '-', random(24))],
  ['Slack', join('xapp', '-1-', upper(11), '-', random(13, '0123456789'), '-', hex(64))],
  ['Slack', join('https://hooks.', 'slack.com/services/T', upper(8), '/B', upper(8), '/', random(24))],
  ['npm', join('npm', '_', random(36))],
  ['npm', random(36), (secret) => join('//registry.example.com/:_auth', `Token=${secret}`)],
  ['OpenAI', join('sk-', random(20), 'T3Blbk', 'FJ', random(20))],
  ['OpenAI', join('sk-', 'proj-', random(74), 'T3Blbk', 'FJ', random(74))],
  ['Anthropic', join('sk-', 'ant-api03-', random(93), 'AA')],
  ['Groq', join('gsk', '_', random(52))],
  ['HuggingFace', join('hf', '_', random(34, 'abcdefghijklmnopqrstuvwxyzABCDEF'))],
  ['Linear', join('lin', '_api_', random(40))],
  ['Notion', join('ntn', '_', random(11, '0123456789'), random(35))],
  ['PrivateKey', pem('RSA ')],
  ['PrivateKey', pem('')],
  ['PrivateKey', pem('ENCRYPTED ')],
  ['PrivateKey', pem('EC ', '\\n')],
  ['SendGrid', join('SG', '.', random(22), '.', random(43))],
  ['Shopify', join('shpat', '_', hex(32))],
  ['Stripe', join('sk', '_live_', random(24))],
  ['Grafana', join('glsa', '_', random(32), '_', hex(8))],
  ['1Password', join('ops', '_ey', random(200), 'fQ==')],
  ['Password', random(16), (secret) => `postgres://shop:${secret}@db.internal:5432/shop`],
  ['Password', random(16), (secret) => `mongodb+srv://shop:${secret}@cluster0.example.net/shop`],
  ['Password', random(16), (secret) => `https://deploy:${secret}@git.example.net/shop`],
  ['Password', random(16), (secret) => `redis://:${secret}@cache:6379/0`],
  ['Hashicorp-vault', join('hvs', '.', random(95))],
  ['Vercel', join('vcp', '_', random(24))],
  ['Databricks', join('dapi', hex(32))],
  ['Docker', join('dckr', '_pat_', random(27))],
  ['Figma', join('figd', '_', random(44))],
  ['Frame.io', join('fio', '-u-', random(64))],
  ['Cloudflare', join('cfut', '_', random(40), hex(8))],
  ['Tailscale', join('tskey', '-auth-', random(12), '-', random(32))],
  ['Google', join('AIza', random(35))],
  ['Google', join('GOCSPX', '-', random(28))],
  ['JWT', join('ey', random(30), '.ey', random(80), '.', random(43))],
  ['Azure', join(random(86), '=='), (secret) => `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${secret};`],
  ['Telegram', join(random(9, '123456789'), ':AA', random(33))],
  ['PyPI', join('pypi', '-AgEIcHlwaS5vcmc', random(80))],
  ['RubyGems', join('rubygems', '_', hex(48))],
  ['DigitalOcean', join('dop', '_v1_', hex(64))],
  ['Atlassian', join('ATATT3', random(80))],
  ['Twilio', join('SK', hex(32))],
  ['Mailgun', join('key', '-', hex(32))],
  ['Secret', random(32), (secret) => `const apiKey = '${secret}'`],
  ['Secret', random(24), (secret) => `"client_secret": "${secret}"`],
  ['Secret', random(24), (secret) => `SESSION_SECRET: "${secret}"`],
]

/** Where secrets are found in practice. */
const places: Record<string, (line: string) => string> = {
  code: (line) => `export function connect() {\n  // how we connect\n  return open(\`${line}\`)\n}\n`,
  config: (line) => `service:\n  value: ${line}\n  port: 80\n`,
  diff: (line) => `@@ -1,2 +1,2 @@\n-value\n+${line}\n context\n`,
  chat: (line) => `hey, does anyone know why this fails: ${line} thanks!`,
  'a file with comment switches': (line) => `// secretlint-disable\n/* secretlint-disable-next-line */\n${line} // secretlint-disable-line gitleaks:allow\n`,
}

describe.each(Object.entries(places))('in %s', (_, place) => {
  test.each(samples.map(([kind, secret, around], index) => [`${kind} ${index}`, kind, secret, around ?? ((text: string) => text)] as const))('%s', async (_name, kind, secret, around) => {
    const given = place(around(secret))
    const { text, found } = await redact(given)
    for (const part of secret.split(/\n|\\n/).filter((each) => each.length > 12 && !each.startsWith(dashes))) expect(text).not.toContain(part)
    expect(text).toContain('[redacted:')
    expect(text.replace(placeholders, '')).not.toContain('redacted')
    expect(found.map((each) => each.kind)).toContain(kind)
    expect(text.split('\n').length).toBe(given.split('\n').length)
  })
})

describe('what stays', () => {
  test.each([
    'const apiKey = process.env.API_KEY',
    "password: 'changeme'",
    'const token = await getToken(request)',
    'postgres://user:password@localhost:5432/shop',
    'postgres://$' + '{user}:$' + '{password}@$' + '{host}/shop',
    'the header is Authorization: Bearer <token>',
    "const key = 'user.settings.notifications.email'",
    'sha256: 0b5e5f3a8c2d4e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7',
    'import { secretKeys } from "./secret-keys.ts"',
    'https://example.com/a?b=c',
    'git@github.com:acme/shop.git',
    'mailto:someone@example.com',
  ])('%s', async (text) => {
    expect(await redact(text)).toEqual({ text, found: [] })
  })

  test('what stands around a secret', async () => {
    const { text } = await redact(`before\n${pem('RSA ')}\nafter = 1\n`)
    expect(text).toMatch(/^before\n\[redacted:PrivateKey\]\n+after = 1\n$/)
  })
})

test('what is found is counted by its kind', async () => {
  const [aws, token] = [join('AKIA', upper(16)), join('ghp', '_', random(36))]
  expect(await redact(`${aws} ${token}\n${aws}!`)).toEqual({
    text: '[redacted:AWS] [redacted:GitHub]\n[redacted:AWS]!',
    found: [
      { kind: 'AWS', count: 2 },
      { kind: 'GitHub', count: 1 },
    ],
  })
})

describe('the preset', () => {
  test.each([
    ['a token with a digit', join('it is xoxb', '-12-ab, he said'), 'it is [redacted:Slack], he said'],
    ['a token behind a byte order mark', join('\uFEFFxoxb', '-12-ab'), '\uFEFF[redacted:Slack]'],
    ['a made-up token without a digit', 'xoxb-two-words of 2', 'xoxb-two-words of 2'],
    ['a made-up key without a digit', 'aws_secret_access_key = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn" of 2', 'aws_secret_access_key = "abcdefghijklmnopqrstuvwxyzabcdefghijklmn" of 2'],
    ['a password without a digit', join('see https://deploy:', 'mywordoftheday@git.acme.dev/shop'), 'see [redacted:Password]/shop'],
  ])('tells %s', async (_, text, expected) => {
    expect((await redact(text)).text).toBe(expected)
  })

  test.each([
    ...['http', 'https', 'ftp', 'ftps'].map((protocol) => ['Password', join(protocol, '://deploy:', 'pw12x@git.acme.dev')]),
    ...['POSTGRES', 'MySQL', 'mongodb'].map((protocol) => ['Password', join(protocol, '://shop:', 'pw12x@db.acme.dev/shop')]),
    ['GitHub', join('ghp', '_mytoken', random(29))],
    ['GitHub', join('github', '_pat_mytoken', random(75))],
    ['Stripe', join('sk', '_live_mytoken', random(20))],
    ['Stripe', join('rk', '_test_mytoken', random(20))],
    ['Vercel', join('vcp', '_mytoken', random(17))],
    ['Databricks', join('dapi', '1a'.repeat(16))],
  ])('finds what our own table takes for none: %s %s', async (kind, secret) => {
    expect(findSecrets(secret!)).toEqual([])
    expect(await redact(`it is ${secret}`)).toEqual({ text: `it is [redacted:${kind}]`, found: [{ kind, count: 1 }] })
  })

  test('looks in every text for what a file of npm would hold', async () => {
    const { found } = await redact(join('see https://acme.deploy:', 'x-oauth-basic@github.com/acme'))
    expect(found).toContainEqual({ kind: 'npm', count: 1 })
  })

  test('runs whole, but for the filter that a comment could switch', () => {
    const all = rules.map(({ meta }) => meta.id.replace('@secretlint/secretlint-rule-', ''))
    expect(all).toContain('filter-comments')
    expect(scannerNames.toSorted()).toEqual(all.filter((name) => name !== 'filter-comments').toSorted())
  })
})

test('redaction of any text keeps its lines and finds nothing more the second time', async () => {
  const piece = fc.oneof(fc.constantFrom(...samples.map(([, secret, around]) => around?.(secret) ?? secret)), fc.constantFrom('\n', ' ', '"', '=', 'key: ', dashes), fc.string({ maxLength: 20 }))
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const given = pieces.join('')
      const once = await redact(given)
      expect(once.text.split('\n').length).toBe(given.split('\n').length)
    }),
  )
})

test('hostile texts are scanned in time that grows with their length', async () => {
  const evil = ['://a:', 'sk-', `${dashes}BEGIN PRIVATE KEY${dashes}`, 'eyJ'.repeat(10), 'secret=', 'mongodb://', 'xoxb-1-', 'A'.repeat(40), 'AccountKey=', 'ops_ey', 'a:b@', 'password is ', `token${' '.repeat(20)}`, `token=${'.'.repeat(300)}`, 'PuTTY-User-Key-File-2: a\n', 'A: b\n', `${'A'.repeat(31)}\n`, 't1.', `${'M'.repeat(24)}.`, 'abcdef12-', '\\"', 'adobe '].map((part) => part.repeat(Math.ceil(200_000 / part.length)))
  for (const text of evil) expect((await redact(text)).text.length).toBeGreaterThan(0)
}, 300_000)

test('nothing of a secret reaches chunks, symbols or edges', async () => {
  const secret = join('ghp', '_', random(36))
  const { text } = await redact(`/** Uses ${secret}. */\nexport function connect() { return open('${secret}') }\nexport const limit = '${secret}'\n`)
  expect(JSON.stringify(await chunkFile('a.ts', text))).not.toContain(secret)
})

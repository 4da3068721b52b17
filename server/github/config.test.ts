import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { readGithubConfig, toWebUrl } from './config.ts'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString().trim()
const app = { GITHUB_APP_ID: '4242', GITHUB_PRIVATE_KEY: pem, GITHUB_WEBHOOK_SECRET: 'a secret' }

test('without an App there is none, whatever address another program has set', () => {
  expect(readGithubConfig({})).toBeNull()
  expect(readGithubConfig({ GITHUB_API_URL: 'https://api.github.com', GITHUB_APP_ID: '' })).toBeNull()
})

test('an App of github.com', () => {
  expect(readGithubConfig(app)).toEqual({
    appId: '4242', privateKey: pem, webhookSecret: 'a secret', apiUrl: 'https://api.github.com', webUrl: 'https://github.com',
    installationId: null, client: null, summaryIntervalMs: 30_000, sweepIntervalMs: 300_000, writeIntervalMs: 1000,
  })
})

test('everything set', () => {
  const given = { GITHUB_API_URL: 'https://github.acme.dev/api/v3/', GITHUB_INSTALLATION_ID: '77', GITHUB_CLIENT_ID: 'Iv1.a', GITHUB_CLIENT_SECRET: 'b', GITHUB_SUMMARY_INTERVAL: '0.5', GITHUB_SWEEP_INTERVAL: '60', GITHUB_WRITE_INTERVAL_MS: '0' }
  expect(readGithubConfig({ ...app, ...given })).toMatchObject({
    apiUrl: 'https://github.acme.dev/api/v3', webUrl: 'https://github.acme.dev', installationId: 77, client: { id: 'Iv1.a', secret: 'b' },
    summaryIntervalMs: 500, sweepIntervalMs: 60_000, writeIntervalMs: 0,
  })
})

test('the key as people paste it: with \\n for line ends, as base64, with the line ends of Windows', () => {
  for (const pasted of [pem.replaceAll('\n', '\\n'), Buffer.from(pem).toString('base64'), pem.replaceAll('\n', '\r\n')]) {
    expect(readGithubConfig({ ...app, GITHUB_PRIVATE_KEY: pasted })!.privateKey).toBe(pem)
  }
})

test('an App by halves is refused, with every key that is missing', () => {
  const read = (env: Record<string, string>) => () => readGithubConfig(env)
  expect(read({ GITHUB_APP_ID: '4242' })).toThrow(/GITHUB_PRIVATE_KEY: is required[^]*GITHUB_WEBHOOK_SECRET: is required/)
  expect(read({ ...app, GITHUB_WEBHOOK_SECRET: ' ' })).toThrow(/GITHUB_WEBHOOK_SECRET: is required/)
  expect(read({ GITHUB_PRIVATE_KEY: pem, GITHUB_WEBHOOK_SECRET: 's' })).toThrow(/GITHUB_APP_ID: is required/)
  expect(read({ GITHUB_INSTALLATION_ID: '1' })).toThrow(/GITHUB_APP_ID: is required/)
  expect(read({ ...app, GITHUB_CLIENT_ID: 'Iv1.a' })).toThrow(/GITHUB_CLIENT_SECRET: is required/)
})

test('a value that is no use is refused without being shown', () => {
  const faulty = { GITHUB_PRIVATE_KEY: 'c2VjcmV0LWtleQ==', GITHUB_API_URL: 'ftp://secret-host', GITHUB_INSTALLATION_ID: 'secret-7', GITHUB_SWEEP_INTERVAL: 'secret-9', GITHUB_WRITE_INTERVAL_MS: '-1' }
  let message = ''
  try {
    readGithubConfig({ ...app, ...faulty })
  } catch (error) {
    message = (error as Error).message
  }
  for (const key of Object.keys(faulty)) expect(message).toMatch(new RegExp(`  ${key}: must be `))
  expect(message).not.toMatch(/secret-|c2VjcmV0/)
})

test('where people look at it', () => {
  expect(toWebUrl('https://api.github.com')).toBe('https://github.com')
  expect(toWebUrl('https://api.acme.ghe.com')).toBe('https://acme.ghe.com')
  expect(toWebUrl('https://github.acme.dev/api/v3')).toBe('https://github.acme.dev')
  expect(toWebUrl('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080')
})

import { createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { isSignedBySlack, toRequestId } from './signature.ts'

const secret = 'a signing secret'
const now = 1_700_000_000_500
const body = Buffer.from('{"type":"event_callback","text":"Grüße"}')

function sign(timestamp: string, { bytes = body, key = secret } = {}): string {
  return `v0=${createHmac('sha256', key).update(`v0:${timestamp}:`).update(bytes).digest('hex')}`
}

function at(timestamp: string, signature: string | undefined = sign(timestamp), more: IncomingHttpHeaders = {}): IncomingHttpHeaders {
  return { 'x-slack-request-timestamp': timestamp, ...(signature === undefined ? {} : { 'x-slack-signature': signature }), ...more }
}

const good = '1700000000'

test.each([
  ['now', good],
  ['as old as it may be', '1699999701'],
  ['as far ahead as a clock may be', '1700000300'],
])('what Slack signed %s is taken', (_, timestamp) => {
  expect(isSignedBySlack(secret, at(timestamp), body, now)).toBe(true)
})

test('a body that says it is sent as it is may be', () => {
  expect(isSignedBySlack(secret, at(good, sign(good), { 'content-encoding': 'identity' }), body, now)).toBe(true)
})

test.each<[string, IncomingHttpHeaders]>([
  ['without a signature', { 'x-slack-request-timestamp': good }],
  ['without a time', { 'x-slack-signature': sign(good) }],
  ['too old', at('1699999700')],
  ['too far ahead', at('1700000301')],
  ['at no time', at('Infinity')],
  ['at a time with a fraction', at(`${good}.0`)],
  ['at a time with a sign', at(`+${good}`)],
  ['at a time with something before it', at(` ${good}`)],
  ['at another time than was signed', at('1700000001', sign(good))],
  ['by another', at(good, sign(good, { key: 'another' }))],
  ['over another body', at(good, sign(good, { bytes: Buffer.concat([body, Buffer.from(' ')]) }))],
  ['in upper case', at(good, sign(good).toUpperCase().replace('V0', 'v0'))],
  ['with something after it', at(good, `${sign(good)}=junk`)],
  ['with something before it', at(good, `x${sign(good)}`)],
  ['of another version', at(good, sign(good).replace('v0', 'v1'))],
  ['twice', at(good, `${sign(good)}, ${sign(good)}`)],
  ['too short', at(good, sign(good).slice(0, -1))],
  ['over what was packed', at(good, sign(good), { 'content-encoding': 'gzip' })],
])('T20: a request signed %s is refused', (_, headers) => {
  expect(isSignedBySlack(secret, headers, body, now)).toBe(false)
})

test('T20: a time is read as digits alone, however it is signed', () => {
  for (const timestamp of ['', '1e9', '0x6553f100', '17000000000000']) expect(isSignedBySlack(secret, at(timestamp), body, now)).toBe(false)
  expect(isSignedBySlack(secret, at('999999999999'), body, 999_999_999_999_000)).toBe(true)
})

test('the clock is the machine’s unless another is given', () => {
  const timestamp = String(Math.floor(Date.now() / 1000))
  expect(isSignedBySlack(secret, at(timestamp), body)).toBe(true)
})

test('a replay has the id of what it repeats, and nothing else has', () => {
  expect(toRequestId(sign(good))).toBe(toRequestId(sign(good)))
  expect(toRequestId(sign(good))).toMatch(/^[0-9a-f]{32}$/)
  expect(toRequestId(sign(good))).not.toBe(toRequestId(sign('1700000001')))
})

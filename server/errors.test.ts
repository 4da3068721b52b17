import { expect, it } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { toExitCode, toFailure } from './errors.ts'

it('shows what a person can act on, and its field', () => {
  expect(toFailure(new NuraError('bad-input', 'question: is empty', { field: 'question' }), 'ABC123')).toEqual({
    status: 400,
    error: { code: 'bad-input', message: 'question: is empty', retryable: false, ref: 'ABC123', field: 'question' },
  })
})

it('shows nothing of an error that is not ours', () => {
  const { status, error } = toFailure(new TypeError('cannot read secret of undefined'))
  expect([status, error.code, error.retryable]).toEqual([500, 'internal', true])
  expect(JSON.stringify(error)).not.toContain('secret')
  expect(error.ref).toMatch(/^[0-9A-F]{6}$/)
})

it('makes every 404 the same', () => {
  const codes = ['not-found', 'unknown-tenant', 'unknown-repository', 'unknown-answer']
  const shown = codes.map((code) => toFailure(new NuraError(code, `No ${code} with id 7.`, { field: 'id' }), 'REF'))
  expect(new Set(shown.map((failure) => JSON.stringify(failure))).size).toBe(1)
})

it.each([
  [new NuraError('queue-unavailable', 'x', { retryable: true }), 503],
  [new NuraError('anything-new', 'x', { retryable: true }), 503],
  [new NuraError('source-unavailable', 'x', { retryable: true }), 424],
  [new NuraError('anything-new', 'x'), 400],
  [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), 503],
  [new Error('outer', { cause: Object.assign(new Error('shutdown'), { code: '57P01' }) }), 503],
  [new Error('outer', { cause: new NuraError('forbidden', 'x') }), 403],
])('%s is %i', (error, status) => expect(toFailure(error).status).toBe(status))

it('gives usage its own exit code', () => {
  expect([toExitCode(new NuraError('usage', 'x')), toExitCode(new NuraError('bad-input', 'x')), toExitCode('x')]).toEqual([2, 1, 1])
})

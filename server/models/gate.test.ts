import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { createGate } from './gate.ts'
import type { GateOptions } from './gate.ts'
import { badModel, modelAway, modelCold, modelRefused } from './model-error.ts'

function open(times: GateOptions['times'] = {}, wake: GateOptions['wake'] = async () => undefined) {
  const said: string[] = []
  const log = { warn: (_: object, text: string) => void said.push(text), info: (_: object, text: string) => void said.push(text) } as unknown as GateOptions['log']
  return { gate: createGate('a:1', { log, wake, times: { rest: 50, mostRest: 200, wakeEvery: 20, ...times } }), said }
}

/** Calls it; true when the gate let it through. */
function call(gate: ReturnType<typeof createGate>, error?: unknown): boolean {
  try {
    const pass = gate.enter()
    if (error === undefined) pass.succeed()
    else pass.fail(error)
    return true
  } catch (refusal) {
    expect(refusal).toMatchObject({ code: 'model-resting', retryAt: expect.any(Date) })
    return false
  }
}
const settled = () => sleep(1)

/** What a gate rests by is the clock, which goes on here when the test says so. */
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => void vi.setSystemTime(Date.now() + ms)

describe('a model that fails', () => {
  test('rests after three failures in a row; then one call finds out, and the others do not wait for it', async () => {
    const { gate } = open()
    for (let times = 0; times < 3; times++) {
      expect(call(gate, modelAway('a:1', 'failed'))).toBe(true)
      await settled()
    }
    expect(call(gate)).toBe(false)
    pass(60)
    const probe = gate.enter()
    expect(call(gate)).toBe(false)
    probe.succeed()
    await settled()
    expect(call(gate)).toBe(true)
  })

  test('rests longer after each probe that fails', async () => {
    const { gate, said } = open()
    for (let times = 0; times < 3; times++) {
      call(gate, new Error('odd'))
      await settled()
    }
    pass(60)
    expect(call(gate, modelAway('a:1', 'failed'))).toBe(true)
    await settled()
    pass(60)
    expect(call(gate)).toBe(false)
    pass(60)
    expect(call(gate)).toBe(true)
    await settled()
    expect(said.filter((line) => line.includes('answers again'))).toHaveLength(1)
  })

  test('rests when most calls fail, though some are answered', async () => {
    const { gate } = open()
    for (const fails of [false, true, true, false, true, true]) {
      call(gate, fails ? modelAway('a:1', 'failed') : undefined)
      await settled()
    }
    expect(call(gate)).toBe(false)
  })

  test('is not blamed for a request that it refuses, nor for a caller who left', async () => {
    const { gate } = open()
    for (let times = 0; times < 10; times++) {
      call(gate, modelRefused('a:1'))
      gate.enter().abandon()
      await settled()
    }
    expect(call(gate)).toBe(true)
  })
})

test('a model that says when to come again is not called before', async () => {
  const { gate } = open()
  expect(call(gate, modelAway('a:1', 'is asked too often', { retryAt: new Date(Date.now() + 80) }))).toBe(true)
  expect(call(gate)).toBe(false)
  pass(100)
  expect(call(gate)).toBe(true)
})

test('a model that must be put right is told of once, and tried again after a while', async () => {
  const { gate, said } = open({ wrong: 40 })
  for (let times = 0; times < 3; times++) {
    expect(call(gate, badModel('a:1', 'the server has no such model'))).toBe(true)
    expect(() => gate.enter()).toThrow(expect.objectContaining({ retryable: false, message: expect.stringContaining('no such model') }))
    pass(50)
  }
  expect(said.filter((line) => line.includes('no such model'))).toHaveLength(1)
})

test('a model that is starting is woken by one call at a time, and asked again once it has started', async () => {
  let waking = 0
  const wake = vi.fn<() => Promise<void>>(async () => {
    expect(++waking).toBe(1)
    await sleep(10)
    waking--
    if (wake.mock.calls.length < 3) throw modelCold('a:1')
  })
  const { gate, said } = open({}, wake)
  expect(call(gate, modelCold('a:1'))).toBe(true)
  expect(call(gate)).toBe(false)
  await expect.poll(() => call(gate)).toBe(true)
  expect(wake).toHaveBeenCalledTimes(3)
  expect(said).toEqual(['a model is starting; others answer meanwhile', 'a model has started'])
})

test('whatever is thrown at it, an error that is none of ours counts as a failure', () => {
  const { gate } = open()
  expect(() => gate.enter().fail(new NuraError('odd', 'odd'))).not.toThrow()
})

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openOutageRig, outages, providers, recovered, saidBy } from './outages.ts'
import type { OutageRig, ProviderName } from './outages.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 })

let rig: OutageRig
beforeAll(async () => void (rig = await openOutageRig()))
afterAll(() => rig?.close())

describe.each(Object.keys(providers) as ProviderName[])('a model of %s', (provider) => {
  test('answers while nothing is wrong', async () => {
    expect((await rig.ask(provider)).text).toContain(saidBy(provider))
  })

  test.each(outages)('that $name ($row): people get the answer of the next one, whole and once', async ({ fault, calls }) => {
    const before = rig.fakes[provider].requests.length
    rig.fakes[provider].fault = fault
    const { text } = await rig.ask(provider)
    expect(text).toContain(saidBy('second'))
    expect(text).not.toContain(saidBy(provider))
    expect(text).not.toMatch(/Interrupted|Ref [0-9A-F]{6}/)
    expect(rig.fakes[provider].requests.length - before).toBe(calls)
    if (fault.retryAfter === undefined) return await recovered(rig, provider)
    // Nobody asks it before its time, however well it is by now.
    rig.fakes[provider].fault = null
    expect((await rig.ask(provider)).text).toContain(saidBy('second'))
    expect(rig.fakes[provider].requests.length - before).toBe(calls)
  })
})

import { expect, test, vi } from 'vitest'
import { inputs } from './inputs.ts'

/** Whole processes start, stop and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 600_000 })

test('T35: generated and mutated inputs through every door: no 5xx, no write by what is refused, no process ends', async () => {
  const said: string[] = []
  const figures = await inputs.run({ seed: 20_261, long: false, say: (line) => void said.push(line) })
  const broken = figures.filter(({ holds }) => !holds)
  expect(broken, said.join('\n')).toEqual([])
})

import { expect, test, vi } from 'vitest'
import { crowds } from './crowds.ts'

/** Whole processes start, stop and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 600_000 })

test('T35, T33, F29, F31: bombs, slow and aborted requests and large bodies, on few files and a small heap: refused or told to come again, and others are answered', async () => {
  const said: string[] = []
  const figures = await crowds.run({ seed: 20_261, long: false, say: (line) => void said.push(line) })
  expect(figures.filter(({ holds }) => !holds), said.join('\n')).toEqual([])
})

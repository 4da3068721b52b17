import { expect, test } from 'vitest'
import { nextTry } from './next-try.ts'

test('tries go on for some minutes, each after a longer wait, and then end', () => {
  const receivedAt = new Date('2030-01-01T00:00:00Z')
  const seconds: number[] = []
  for (let now: Date | null = receivedAt; (now = nextTry(receivedAt, now.getTime())) !== null; ) seconds.push((now.getTime() - receivedAt.getTime()) / 1000)
  expect(seconds).toEqual([15, 30, 60, 120, 240, 480])
})

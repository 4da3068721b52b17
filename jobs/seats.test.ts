import { expect, test } from 'vitest'
import { createSeats } from './seats.ts'

test('a tenant has its seats and no more, and another finds one', () => {
  const seats = createSeats(2, () => 1_000)
  const first = seats.take('a')
  expect('leave' in first && 'leave' in seats.take('a')).toBe(true)
  expect(seats.take('a')).toHaveProperty('retryAt')
  expect(seats.take('b')).toHaveProperty('leave')
  if ('leave' in first) first.leave()
  expect(seats.take('a')).toHaveProperty('leave')
})

test('those who are to come again come one after another', () => {
  const seats = createSeats(1, () => 1_000)
  const seat = seats.take('a')
  const later = Array.from({ length: 100 }, () => seats.take('a')).map((put) => ('retryAt' in put ? put.retryAt.getTime() : 0))
  expect(later[0]).toBe(1_500)
  expect(later.every((at, index) => index === 0 || at === later[index - 1]! + 20)).toBe(true)
  if ('leave' in seat) seat.leave()
  expect(seats.take('a')).toHaveProperty('leave')
})

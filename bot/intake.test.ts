import { expect, test } from 'vitest'
import { createIntake } from './intake.ts'

test('a workspace that floods is refused while others are let in, and let in again once it has room', () => {
  const intake = createIntake({ most: 8, mostOfOne: 3 })
  const own = Array.from({ length: 5 }, () => intake.enter('a'))
  expect(own.map((entered) => entered !== null)).toEqual([true, true, true, false, false])
  expect(intake.enter('b')).not.toBeNull()
  own[0]!.leave()
  expect(intake.enter('a')).not.toBeNull()
})

test('many workspaces together are refused where the whole is full', () => {
  const intake = createIntake({ most: 4, mostOfOne: 3 })
  const entered = ['a', 'b', 'c', 'd', 'e'].map((workspace) => intake.enter(workspace))
  expect(entered.map((one) => one !== null)).toEqual([true, true, true, true, false])
  entered[1]!.leave()
  expect(intake.enter('e')).not.toBeNull()
})

import { expect, test } from 'vitest'
import type { Measure } from './measure.ts'
import { readFigureSet } from './question-set.ts'

const set = await readFigureSet(new URL('../questions/managers.json', import.meta.url))

test('there are forty questions, in the order in which they are asked; some have no answer', () => {
  const outcomes = Map.groupBy(set.questions, ({ outcome }) => outcome)
  expect([...outcomes].map(([outcome, all]) => `${all.length} ${outcome}`).sort()).toEqual(['32 told', '4 nothing', '4 unclear'])
  expect(set.questions.map(({ at }) => at)).toEqual(set.questions.map(({ at }) => at).sort())
  expect(new Set(set.questions.map(({ question, at, timeZone }) => `${question} ${at} ${timeZone}`)).size).toBe(40)
})

test('what is named exists in the set, and ranges are some', () => {
  const measures = set.questions.flatMap(({ figures, lists }) => [...figures.flatMap(({ measure, previous }): Measure[] => [measure, ...(previous ? [previous] : [])]), ...lists.map(({ measure }) => measure)])
  const names = set.repositories.map(({ name }) => name)
  for (const measure of measures) {
    if (measure.repository !== undefined) expect(names).toContain(measure.repository)
    if (measure.team !== undefined) expect(Object.keys(set.teams)).toContain(measure.team)
    if ('from' in measure) expect(measure.from <= measure.to).toBe(true)
  }
})

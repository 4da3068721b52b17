import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crossValidateRouter, evaluateRouter } from './router.ts'
import { ownExamples, readRouterSet, toTemplate } from './router/questions.ts'
import type { Labelled } from './router/questions.ts'
import { splitByAuthorAndTemplate } from './router/split.ts'

const sets = ['router.json', 'router-holdout.json'].map((name) => new URL(`sets/${name}`, import.meta.url).pathname)

/** What would leak from what is learned to what is asked. */
function leaks(questions: Labelled[], folds: number): string[] {
  return splitByAuthorAndTemplate(questions, folds).flatMap(({ learned, asked }) => {
    const known = new Set(learned.flatMap(({ author, template }) => [`author ${author}`, `template ${template}`]))
    return asked.flatMap(({ author, template }) => [`author ${author}`, `template ${template}`]).filter((group) => known.has(group))
  })
}

test('no author and no template is on both sides of a fold, and every question is asked once, whatever the groups', () => {
  const labelled = fc.record({ question: fc.string(), agent: fc.constantFrom('dev' as const, 'pm' as const, 'architect' as const), author: fc.constantFrom('a', 'b', 'c'), template: fc.constantFrom(...'stuvwxyz') })
  fc.assert(
    fc.property(fc.array(labelled, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (questions, folds) => {
      expect(leaks(questions, folds)).toEqual([])
      const asked = splitByAuthorAndTemplate(questions, folds).flatMap((fold) => fold.asked)
      expect(new Set(asked)).toEqual(new Set(questions))
      expect(asked).toHaveLength(questions.length)
    }),
  )
})

test('a template is one fold for all authors', () => {
  const of = (author: string, template: string): Labelled => ({ question: `${author} ${template}`, agent: 'dev', author, template })
  const questions = ['a', 'b'].flatMap((author) => ['where is', 'which ·', 'how do'].map((template) => of(author, template)))
  for (const { asked, learned } of splitByAuthorAndTemplate(questions, 3)) {
    expect(asked).toHaveLength(1)
    expect(learned).toHaveLength(2)
  }
})

test('the committed questions are split so, and each has its groups', async () => {
  const questions = [...ownExamples(), ...(await Promise.all(sets.map(readRouterSet))).flat()]
  expect(leaks(questions, 5)).toEqual([])
  expect(new Set(questions.map(({ author }) => author))).toEqual(new Set(['examples', 'router', 'router-holdout']))
  expect(questions.filter(({ template }) => template === '')).toEqual([])
})

test.each([
  ['Where is the retry delay calculated?', 'where is'],
  ['where is `X-Request-Id` generated', 'where is'],
  ['Which struct tags does the binder understand?', 'which ·'],
  ["What's the return type of resolve_path?", "what's the"],
  ['Explain src/lexer.rs line by line', '· ·'],
])('%s opens like «%s»', (question, template) => {
  expect(toTemplate(question)).toBe(template)
})

test('what is learned from others alone is worse than from what one has seen, and better than chance', async () => {
  const [cross, seen] = [await crossValidateRouter(sets, false), await evaluateRouter(sets[0]!)]
  expect(cross.questions).toBe(Object.values(cross.authors).reduce((sum, count) => sum + count, 0))
  expect(cross.macroF1).toBeGreaterThan(0.5)
  expect(cross.macroF1).toBeLessThan(seen.macroF1)
  expect(cross.accuracy).toBeCloseTo(1 - cross.misses.length / cross.questions)
})

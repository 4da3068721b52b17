import type { Labelled } from './questions.ts'

/** What is learned from, and what is then asked: no question of the one shares its author or its template with one of the other. */
export type Fold = { learned: Labelled[]; asked: Labelled[] }

/**
 * Splits by author and by template: templates are dealt out whole, the largest first, each to the fold that has fewest questions;
 * then each author's questions of a fold are asked of what the others' questions in the other folds teach. Every question is asked
 * once.
 */
export function splitByAuthorAndTemplate(questions: Labelled[], folds: number): Fold[] {
  const foldOf = dealTemplates(questions, folds)
  return [...new Set(questions.map(({ author }) => author))].flatMap((author) =>
    Array.from({ length: folds }, (_, fold): Fold => ({
      asked: questions.filter((each) => each.author === author && foldOf.get(each.template) === fold),
      learned: questions.filter((each) => each.author !== author && foldOf.get(each.template) !== fold),
    })).filter(({ asked }) => asked.length > 0),
  )
}

function dealTemplates(questions: Labelled[], folds: number): Map<string, number> {
  const templates = [...Map.groupBy(questions, ({ template }) => template)].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1))
  const sizes = Array.from({ length: folds }, () => 0)
  return new Map(
    templates.map(([template, of]) => {
      const fold = sizes.indexOf(Math.min(...sizes))
      sizes[fold]! += of.length
      return [template, fold]
    }),
  )
}

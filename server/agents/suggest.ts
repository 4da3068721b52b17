import type { TenantDb } from '#db/index.ts'
import { findHeadings, findLandmarks } from '#db/tenant/landmarks.ts'
import type { Landmark } from '#db/tenant/landmarks.ts'
import { searchSymbols } from '#db/tenant/lookup.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { docSentences } from '../models/extractive/prose.ts'
import { fileRole } from '../retrieval/file-role.ts'

/** Most questions that are suggested. */
const most = 4
const considered = { landmarks: 40, headings: 60 }

/** Headings that stand for a question people ask, and that question. First match wins, in this order. */
const headingQuestions: [RegExp, string][] = [
  [/^(?:running )?(?:the )?tests?(?:ing)?$|^run(?:ning)? (?:the )?tests?$/i, 'How do I run the tests?'],
  [/^configur(?:e|ing|ation)$|^settings$|^environment variables$|^options$/i, 'How do I configure it?'],
  [/^deploy(?:ing|ment)?$/i, 'How do I deploy it?'],
  [/^(?:getting started|quick ?start|usage)$/i, 'How do I get started?'],
  [/^install(?:ing|ation)?$/i, 'How do I install it?'],
  [/^architecture$|^how it works$|^design$/i, 'How is the code structured?'],
]

/**
 * Real questions from the tenant's own sources, which Nura answers well: what the repository is, what a name that much of
 * the code leans on does, who calls another, and what a document tells. [] while nothing is indexed.
 */
export async function suggestions(tenant: TenantDb, repositoryIds: string[]): Promise<string[]> {
  if (repositoryIds.length === 0) return []
  const [landmarks, headings, repositories] = await Promise.all([
    findLandmarks(tenant, repositoryIds, considered.landmarks),
    findHeadings(tenant, repositoryIds, considered.headings),
    listRepositories(tenant),
  ])
  const symbols = await searchSymbols(tenant, { names: landmarks.map(({ name }) => name.toLowerCase()), limit: 3, repositoryIds })
  const documented = new Set(symbols.filter(({ doc }) => docSentences(doc).length > 0).map(({ name, path }) => `${path} ${name}`))
  const readme = headings.some(({ path }) => /^(?:docs\/)?(?:readme|index)\./i.test(path))
  const only = repositories.filter(({ id }) => repositoryIds.includes(id))
  const named = only.length === 1 && readme ? `What is ${only[0]!.name.split('/').at(-1)}?` : undefined
  return toSuggestions({ landmarks, documented, headings, introduction: named })
}

/** Pure part of `suggestions`: `documented` holds «path name» of the definitions that have a comment. */
export function toSuggestions(from: { landmarks: Landmark[]; documented: Set<string>; headings: Landmark[]; introduction: string | undefined }): string[] {
  const telling = from.landmarks.filter(({ path, name }) => fileRole(path) === 'source' && /\p{Ll}\p{Lu}|_|^\p{Lu}/u.test(name))
  const told = telling.find(({ path, name }) => from.documented.has(`${path} ${name}`)) ?? telling[0]
  const called = telling.find((each) => each !== told && each.path !== told?.path && /function|method/.test(each.kind) && each.uses > 1)
  const asked = headingQuestions.find(([pattern]) => from.headings.some(({ name }) => pattern.test(name.trim())))?.[1]
  const found = [
    from.introduction,
    told && `What does ${nameOf(told)} do?`,
    called && `Who calls ${nameOf(called)}?`,
    asked,
    ...telling.filter((each) => each !== told && each !== called).slice(0, 2).map((each) => `Where is ${nameOf(each)} defined?`),
  ]
  return found.filter((question) => question !== undefined).slice(0, most)
}

function nameOf({ name, container }: Landmark): string {
  return container ? `${container}.${name}` : name
}

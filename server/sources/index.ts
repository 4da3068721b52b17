import { NuraError } from '#db/nura-error.ts'
import type { GithubApp } from '../github/app.ts'
import { createGitSource } from './git.ts'
import { createGithubSource } from './github.ts'
import type { Source } from './source.ts'

/** What a repository row says of where it comes from. */
export type SourceOrigin = { source: string; location: string; externalId?: number | null; installationId?: number | null }

/** What kinds of source reach the outside through; null where it is not configured. */
export type SourceParts = { github: GithubApp | null }

/** A kind of source: how one is opened from what its repository row says. */
export type SourceKind = { kind: Source['kind']; create(origin: SourceOrigin, parts: SourceParts): Source }

/** Every kind of source that Nura can index. A new one is its file and a line here. */
export const sourceKinds: readonly SourceKind[] = [
  { kind: 'git', create: ({ location }) => createGitSource(location) },
  { kind: 'github', create: (origin, { github }) => createGithubSource(github ?? missing('GITHUB_APP_ID'), origin) },
]

/** Opens the source of a repository. @throws NuraError `unknown-source`, `source-not-configured` */
export function createOpenSource(parts: SourceParts): (origin: SourceOrigin) => Source {
  return (origin) => {
    const kind = sourceKinds.find((each) => each.kind === origin.source)
    if (!kind) throw new NuraError('unknown-source', `This version cannot read a source of kind "${origin.source}".`)
    return kind.create(origin, parts)
  }
}

function missing(key: string): never {
  throw new NuraError('source-not-configured', `This repository cannot be read because ${key} is not set here.`)
}

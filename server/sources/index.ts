import type { TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readCredentials } from '#db/tenant/source-credentials.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'
import type { GithubApp } from '../github/app.ts'
import { createConfluenceSource } from './confluence.ts'
import { createDocumentsSource } from './documents.ts'
import { createGitSource } from './git.ts'
import { createGithubSource } from './github.ts'
import { createJiraSource } from './jira.ts'
import { createNotionSource } from './notion.ts'
import type { OpenSite, Site } from './site.ts'
import type { Source } from './source.ts'

/** What a repository row says of where it comes from. */
export type SourceOrigin = {
  source: string
  location: string
  id?: string
  name?: string
  externalId?: number | null
  installationId?: number | null
  place?: string | null
  contentType?: 'documentation' | 'business' | null
}

/** What kinds of source reach the outside through; null where it is not configured. */
export type SourceParts = { github: GithubApp | null; openSite: OpenSite }

/** Whose source it is. `credentials` before they are kept; else those that are. */
export type SourceOwner = { tenant?: TenantDb; credentials?: SourceCredentials }

/** A kind of source: how one is opened from what its repository row says. `polled`: it tells nobody of its changes, and is asked. */
export type SourceKind = { kind: Source['kind']; polled?: true; create(origin: SourceOrigin, parts: SourceParts, owner: SourceOwner): Source }

/** Every kind of source that Nura can index. A new one is its file and a line here. */
export const sourceKinds: readonly SourceKind[] = [
  { kind: 'git', create: ({ location }) => createGitSource(location) },
  { kind: 'github', create: (origin, { github }) => createGithubSource(github ?? missing('GITHUB_APP_ID'), origin) },
  { kind: 'documents', create: ({ id, name }, _, { tenant }) => createDocumentsSource(tenant ?? unowned(), { id: id ?? unowned(), name: name ?? unowned() }) },
  { kind: 'confluence', polled: true, create: (origin, parts, owner) => createConfluenceSource(toSite('Confluence', origin, parts, owner), toPlace(origin)) },
  { kind: 'notion', polled: true, create: (origin, parts, owner) => createNotionSource(toSite('Notion', origin, parts, owner), toPlace(origin)) },
  { kind: 'jira', polled: true, create: (origin, parts, owner) => createJiraSource(toSite('Jira', origin, parts, owner), toPlace(origin)) },
]

export const polledKinds: readonly string[] = sourceKinds.filter(({ polled }) => polled).map(({ kind }) => kind)

/** Opens the source of a repository. @throws NuraError `unknown-source`, `source-not-configured` */
export function createOpenSource(parts: SourceParts): (origin: SourceOrigin, owner?: SourceOwner) => Source {
  return (origin, owner = {}) => {
    const kind = sourceKinds.find((each) => each.kind === origin.source)
    if (!kind) throw new NuraError('unknown-source', `This version cannot read a source of kind "${origin.source}".`)
    return kind.create(origin, parts, owner)
  }
}

function toPlace({ place, contentType, name }: SourceOrigin): { place: string | null; contentType: 'documentation' | 'business'; name: string | null } {
  return { place: place ?? null, contentType: contentType ?? 'business', name: name ?? null }
}

function toSite(name: string, { id, location }: SourceOrigin, { openSite }: SourceParts, { tenant, credentials }: SourceOwner): Site {
  const stored = async () => (tenant && id ? await readCredentials(tenant, id) : null) ?? lacking(name)
  return openSite({ name, base: location, credentials: async () => credentials ?? (await stored()) })
}

function missing(key: string): never {
  throw new NuraError('source-not-configured', `This repository cannot be read because ${key} is not set here.`)
}

function lacking(name: string): never {
  throw new NuraError('source-unauthorized', `Nura keeps no token for this source any more. Connect it again with a token of ${name}.`)
}

function unowned(): never {
  throw new NuraError('source-not-configured', 'A library of documents is read through its tenant.')
}

import type { DecidedAudience } from './audience.ts'

/** What a decision needs to know of a source. */
export type SourceAudience = { id: string; audience: 'tenant' | 'granted' | 'github'; isPublic: boolean }

/** One source opened to one channel or person. */
export type Grant = { repositoryId: string; readerKind: 'channel' | 'person'; readerId: string }

/**
 * Which sources an audience may be answered from. Looks at no text, and whatever it does not recognise opens nothing.
 *
 * | audience | gets |
 * |---|---|
 * | `tenant` | sources open to the tenant |
 * | `channel`, `person`, known or granted anything | sources open to the tenant, and those granted to that very reader |
 * | `person`, known, with a linked GitHub account | also the `github` sources which that account may read on GitHub |
 * | `channel`, `person`, otherwise | what `public` gets |
 * | `public` | public sources, unless an admin opened them to named readers only |
 * | `repositories` | those named, whose readers were decided before |
 *
 * A `github` source that is public is open to all: on GitHub anyone may read it.
 *
 * @param grants all grants of the tenant, or only the reader's own.
 * @param isKnown whether Nura has met this channel or person as one of the tenant's own.
 * @param onGithub ids of the sources that this person's linked account may read on GitHub now.
 */
export function decideReadable<S extends SourceAudience>(
  audience: DecidedAudience,
  sources: S[],
  grants: Grant[],
  isKnown: boolean,
  onGithub: ReadonlySet<string> = new Set(),
): S[] {
  const open = sources.filter((source) => source.audience === 'tenant' || (source.audience === 'github' && source.isPublic === true))
  const published = open.filter((source) => source.isPublic === true)
  switch (audience.kind) {
    case 'tenant':
      return open
    case 'public':
      return published
    case 'channel':
    case 'person': {
      const own = grants.filter((grant) => grant.readerKind === audience.kind && grant.readerId === audience.id)
      if (!isKnown && own.length === 0) return published
      const granted = new Set(own.map((grant) => grant.repositoryId))
      const permitted = audience.kind === 'person' && isKnown ? onGithub : new Set()
      return sources.filter(
        (source) => open.includes(source) || (source.audience === 'granted' && granted.has(source.id)) || (source.audience === 'github' && permitted.has(source.id)),
      )
    }
    case 'repositories':
      return sources.filter(({ id }) => audience.ids.includes(id))
    default:
      audience satisfies never
      return []
  }
}

import type { Citation } from '#server/answer-part.ts'
import { toPathLabel } from '../path-label.ts'
import type { Entity } from './activity.ts'
import { plain } from './prose.ts'

/** What Teams takes of citations. */
const mostCitations = 20
const nameLength = 80
const abstractLength = 160
const keywordLength = 28

/** The label «AI generated» of a message, with the sources that its `[n]` refer to. */
export function generatedEntity(citations: Citation[]): Entity {
  return {
    type: 'https://schema.org/Message',
    '@type': 'Message',
    '@context': 'https://schema.org',
    '@id': '',
    additionalType: ['AIGeneratedContent'],
    ...(citations.length > 0 && { citation: citations.slice(0, mostCitations).map(toClaim) }),
  }
}

function toClaim(citation: Citation): Record<string, unknown> {
  const { path, repository, sha, url, title, changedAt } = citation
  const lines = toLines(citation)
  const keywords = [repository, lines, sha.slice(0, 7)].map((word) => plain(word, keywordLength)).filter((word) => word !== '')
  return {
    '@type': 'Claim',
    position: citation.n,
    appearance: {
      '@type': 'DigitalDocument',
      name: plain(title ?? `${toPathLabel(path)} ${lines}`, nameLength) || repository.slice(0, nameLength),
      abstract: plain(`${title ? `${toPathLabel(path)} ` : ''}${lines} of ${repository} at ${sha.slice(0, 7)}${changedAt ? `, changed ${changedAt.slice(0, 10)}` : ''}`, abstractLength),
      ...(url !== null && { url }),
      keywords,
      image: { '@type': 'ImageObject', name: 'Source Code' },
    },
  }
}

/** `L10–42`. */
export function toLines({ startLine, endLine }: Citation): string {
  return startLine === endLine ? `L${startLine}` : `L${startLine}–${endLine}`
}

/** Where an activity stands in a stream. Teams wants it twice: as an entity and in the channel data. */
export type StreamInfo = { streamType: 'informative' | 'streaming' | 'final'; streamId?: string; streamSequence?: number }

export function streamEntity(info: StreamInfo): Entity {
  return { type: 'streaminfo', ...info }
}

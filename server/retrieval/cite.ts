import type { Citation } from '../answer-part.ts'
import { cleanText } from './clean-text.ts'
import type { Passage } from './passage.ts'

/** The web address of a repository, as its row has it; null when it has none. */
export type CitedRepository = { id: string; url: string | null }

/** How a host of repositories writes the address of lines at a commit. `base` ends without a slash. */
type Permalink = (base: string, sha: string, path: string, start: number, end: number) => string

/** First match of the host name wins; a host of one's own is most often a GitHub Enterprise Server. */
const hosts: [RegExp, Permalink][] = [
  [
    /(?:^|\.)gitlab\.|^gitlab(?:\.|$)/,
    (base, sha, path, start, end) => `${base}/-/blob/${sha}/${path}#L${start}${end > start ? `-${end}` : ''}`,
  ],
  [
    /(?:^|\.)bitbucket\./,
    (base, sha, path, start, end) => `${base}/src/${sha}/${path}#lines-${start}${end > start ? `:${end}` : ''}`,
  ],
  [/./, (base, sha, path, start, end) => `${base}/blob/${sha}/${path}#L${start}${end > start ? `-L${end}` : ''}`],
]

/**
 * Address of lines of a file at a commit, made of our own rows only. Null when the repository has no usable address.
 * @param url as stored: `https://host/owner/name`, with or without `.git`, or an SSH remote.
 */
export function permalink(url: string | null, sha: string, path: string, startLine: number, endLine: number): string | null {
  const base = url === null ? null : webAddress(url)
  if (base === null || !/^[0-9a-f]{7,64}$/.test(sha)) return null
  const segments = path.split('/')
  if (segments.includes('..') || segments.includes('.')) return null
  const encoded = segments.map(encodeSegment).join('/')
  const [, build] = hosts.find(([host]) => host.test(base.hostname))!
  return build(base.href, sha, encoded, startLine, endLine)
}

/**
 * The citation of a passage, or of some of its lines.
 * @param lines clamped to the passage: nothing outside what was given can be cited.
 */
export function toCitation(
  passage: Passage,
  repository: CitedRepository | undefined,
  lines?: { startLine: number; endLine: number },
): Citation {
  const clamp = (line: number) => Math.min(passage.endLine, Math.max(passage.startLine, Math.trunc(line)))
  const startLine = clamp(lines?.startLine ?? passage.startLine)
  const endLine = Math.max(startLine, clamp(lines?.endLine ?? passage.endLine))
  const { n, path, sha } = passage
  return {
    n,
    repository: passage.repository,
    path,
    startLine,
    endLine,
    sha,
    url: passage.url ?? permalink(repository?.url ?? null, sha, path, startLine, endLine),
    // People write titles, and one may look like a link: it is shown beside ours.
    ...(passage.title ? { title: cleanText(passage.title, 'prose').text.trim() || path } : {}),
    ...(passage.changedAt ? { changedAt: passage.changedAt.toISOString() } : {}),
  }
}

function webAddress(stored: string): { href: string; hostname: string } | null {
  const ssh = /^(?:ssh:\/\/)?git@([^:/]+)(?::\d+\/|[:/])(.+)$/.exec(stored.trim())
  const written = ssh ? `https://${ssh[1]}/${ssh[2]}` : stored.trim()
  if (!URL.canParse(written)) return null
  const url = new URL(written)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null
  const path = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
  if (path === '') return null
  return { href: `${url.protocol}//${url.host}${path}`, hostname: url.hostname }
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

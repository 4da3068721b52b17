import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { NuraError } from '#db/nura-error.ts'
import { toGitEnvironment } from '#server/sources/config.ts'

export type Review = { author: string; at: number }
/** Times are whole seconds since 1970, as git and GitHub keep them. */
export type Pull = {
  number: number
  repository: string
  title: string
  author: string
  labels: string[]
  openedAt: number
  mergedAt: number
  reviews: Review[]
  /** Oldest first. */
  commits: string[]
}
export type Issue = { number: number; repository: string; title: string; labels: string[]; openedAt: number; closedAt: number }
export type Release = { repository: string; tag: string; publishedAt: number }
export type History = { pulls: Pull[]; issues: Issue[]; releases: Release[] }

/** A repository that the history is told of; one with a `folder` has the pull requests that change nothing outside of it. */
export type HistoryPart = { name: string; folder?: string }

/** A commit as `git log` tells it. */
export type Commit = {
  sha: string
  author: string
  emails: string[]
  authoredAt: number
  committedAt: number
  subject: string
  pulls: string[]
  fixes: string[]
  reviewers: string[]
  files: string[]
}

const run = promisify(execFile)
const most = { maxBuffer: 1 << 30 }
const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x1f)`
const format = ['%H', '%aN', '%aE%x1f%ae', '%at', '%ct', '%s', trailer('PR-URL'), trailer('Fixes'), trailer('Reviewed-By')].join('%x02')
const neighbours = 5
/** What a subject says that was wrong. */
const broken = /\b(?:fix\w*|crash\w*|leak\w*|race|hang\w*|abort\w*|overflow\w*|segfault\w*|regression)\b/i

/**
 * What GitHub would have told of a history whose commits name their pull requests, by `PR-URL` or by `(#12)` at the end of the
 * subject: opened when its first commit was written, merged when its last one was committed, reviewed by those who are named, at
 * even distances between the two. An issue closes with the commit that fixes it; numbers rise, so it was opened about when the
 * pull requests with the numbers before it were. A tag is a release.
 *
 * @param since pull requests merged earlier are left out, and issues closed earlier.
 */
export async function readHistory(dir: string, parts: HistoryPart[], since: Date): Promise<History> {
  const git = async (...args: string[]) => (await run('git', ['-C', dir, ...args], { ...most, env: toGitEnvironment() })).stdout
  const commits = toCommits(await git('log', '--no-merges', '--no-renames', '--reverse', '--name-only', '-z', `--format=%x01${format}%x02`, 'HEAD'))
  const tags = await git('for-each-ref', '--merged=HEAD', '--format=%(refname:short) %(creatordate:unix)', 'refs/tags')
  const history = toHistory(commits, parts)
  if (history.pulls.length === 0) throw new NuraError('no-history', `${dir} has no commit that names its pull request. Give a repository whose commits carry PR-URL or end in (#number), with its whole history.`)
  const from = since.getTime() / 1000
  return {
    pulls: history.pulls.filter(({ mergedAt }) => mergedAt >= from),
    issues: history.issues.filter(({ closedAt }) => closedAt >= from),
    releases: toReleases(tags, parts).filter(({ publishedAt }) => publishedAt >= from),
  }
}

export function toCommits(log: string): Commit[] {
  return log.split('\x01').slice(1).map((entry) => {
    const [sha, author, emails, authoredAt, committedAt, subject, pulls, fixes, reviewers, files] = entry.split('\x02') as [string, string, string, string, string, string, string, string, string, string]
    const list = (text: string) => text.split('\x1f').map((each) => each.trim()).filter(Boolean)
    return {
      sha, author, emails: list(emails), authoredAt: Number(authoredAt), committedAt: Number(committedAt), subject,
      pulls: list(pulls), fixes: list(fixes), reviewers: list(reviewers), files: files.split('\0').map((path) => path.trim()).filter(Boolean),
    }
  })
}

export function toHistory(commits: Commit[], parts: HistoryPart[]): Pick<History, 'pulls' | 'issues'> {
  const own = toOwnRepository(commits)
  const logins = new Map(commits.flatMap(({ author, emails }) => emails.map((email) => [email.toLowerCase(), toLogin(author)] as const)))
  const byNumber = Map.groupBy(commits, (commit) => toPullNumber(commit, own))
  byNumber.delete(null)
  const pulls = [...byNumber].map(([number, of]) => toPull(number!, of, parts, logins)).sort((a, b) => a.number - b.number)
  return { pulls, issues: toIssues(pulls, byNumber, own) }
}

/** Its pull requests are named by most: a commit may also name one of another repository. */
function toOwnRepository(commits: Commit[]): string | null {
  const named = commits.flatMap(({ pulls }) => pulls.flatMap((url) => /github\.com\/([^/]+\/[^/]+)\/pull\/\d+/.exec(url)?.[1] ?? []))
  const counts = Map.groupBy(named, (name) => name)
  return [...counts].sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? null
}

function toPullNumber({ pulls, subject }: Commit, own: string | null): number | null {
  const named = pulls.map((url) => /github\.com\/([^/]+\/[^/]+)\/pull\/(\d+)/.exec(url)).find((match) => match?.[1] === own)?.[2]
  const squashed = /\(#(\d+)\)$/.exec(subject)?.[1]
  const number = named ?? squashed
  return number === undefined ? null : Number(number)
}

function toPull(number: number, commits: Commit[], parts: HistoryPart[], logins: ReadonlyMap<string, string>): Pull {
  const first = commits[0]!
  const mergedAt = Math.max(...commits.map(({ committedAt }) => committedAt))
  const openedAt = Math.min(mergedAt, ...commits.map(({ authoredAt }) => authoredAt))
  const author = toLogin(first.author)
  const reviewers = new Set(commits.flatMap((commit) => commit.reviewers.map((each) => toReviewer(each, logins))))
  reviewers.delete(author)
  const step = (mergedAt - openedAt) / (reviewers.size + 1)
  return {
    number,
    repository: toRepository(commits.flatMap(({ files }) => files), parts),
    title: toTitle(first.subject),
    author,
    labels: [...new Set(commits.flatMap(({ subject }) => toLabels(subject)))].sort(),
    openedAt,
    mergedAt,
    reviews: [...reviewers].map((login, at) => ({ author: login, at: Math.floor(openedAt + step * (at + 1)) })),
    commits: commits.map(({ sha }) => sha),
  }
}

function toIssues(pulls: Pull[], byNumber: ReadonlyMap<number | null, Commit[]>, own: string | null): Issue[] {
  const issues = new Map<number, Issue>()
  for (const pull of pulls) {
    for (const { fixes, committedAt, subject } of byNumber.get(pull.number)!) {
      for (const number of fixes.flatMap((text) => toIssueNumber(text, own))) {
        // Whoever fixes a pull request fixes no issue.
        if (byNumber.has(number)) continue
        const closedAt = Math.max(committedAt, issues.get(number)?.closedAt ?? 0)
        const labels = [...new Set([...pull.labels, ...(issues.get(number)?.labels ?? []), ...(broken.test(subject) ? ['bug'] : [])])].sort()
        issues.set(number, { number, repository: pull.repository, title: `Asks for: ${toTitle(subject)}`, labels, openedAt: Math.min(closedAt, toNeighbours(pulls, number)), closedAt })
      }
    }
  }
  return [...issues.values()].sort((a, b) => a.number - b.number)
}

/** When the pull requests with the numbers before it were opened: their middle, since a commit may have been written anew later. */
function toNeighbours(pulls: Pull[], number: number): number {
  const before = pulls.filter((other) => other.number < number).slice(-neighbours)
  const times = (before.length > 0 ? before : pulls.slice(0, 1)).map(({ openedAt }) => openedAt).sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)]!
}

function toIssueNumber(text: string, own: string | null): number[] {
  const [, repository, number] = /github\.com\/([^/]+\/[^/]+)\/issues\/(\d+)/.exec(text) ?? []
  if (number !== undefined) return repository === own || own === null ? [Number(number)] : []
  const short = /^#(\d+)$/.exec(text)?.[1]
  return short === undefined ? [] : [Number(short)]
}

function toRepository(files: string[], parts: HistoryPart[]): string {
  const inside = parts.find(({ folder }) => folder !== undefined && files.length > 0 && files.every((path) => path.startsWith(folder)))
  return (inside ?? parts.find(({ folder }) => folder === undefined) ?? parts[0]!).name
}

function toReleases(tags: string, parts: HistoryPart[]): Release[] {
  const repository = toRepository([], parts)
  return tags.split('\n').filter(Boolean).map((line) => {
    const [tag, at] = line.split(' ') as [string, string]
    return { repository, tag, publishedAt: Number(at) }
  }).filter(({ tag }) => /^v?\d+\.\d+/.test(tag))
}

/** `Saúl Ibarra` → `saul-ibarra`: people are known by name here, addresses stay in the repository they come from. */
export function toLogin(name: string): string {
  const bot = /^(.*)\[bot\]$/.exec(name)?.[1]
  const login = (bot ?? name).normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'somebody'
  return bot === undefined ? login : `${login}[bot]`
}

/** Written as `Name <address>`; some leave the brackets out. */
function toReviewer(text: string, logins: ReadonlyMap<string, string>): string {
  const [, name, email] = /^(.*?)\s*<?([^\s<>]+@[^\s<>]+)>?$/.exec(text) ?? [null, text, '']
  return logins.get(email!.toLowerCase()) ?? toLogin(name!)
}

/** The parts of the program that stand before the colon: `win,fs: …` → `win`, `fs`. */
export function toLabels(subject: string): string[] {
  const [, areas] = /^(?:Revert ")?([\w, /-]{2,40}?):\s/.exec(subject) ?? []
  return (areas ?? '').split(/[,/]/).map((area) => area.trim().toLowerCase()).filter((area) => /^[a-z][a-z0-9-]{1,20}$/.test(area))
}

function toTitle(subject: string): string {
  return subject.replace(/\s*\(#\d+\)$/, '')
}

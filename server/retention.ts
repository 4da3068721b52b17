import { threadLastsMs } from '#db/tenant/threads.ts'

/** Platforms deliver an event again for minutes to hours; the row is what knows it. */
export const inboxDays = 7
/** A file that comes back within this time, as on a revert, is not embedded again. */
export const goneDays = 7
/** Counted from the last change of the thread. */
export const threadDays = threadLastsMs / (24 * 3_600_000)

/** Turns of a thread, answers that may be given again, and vectors of questions, in the cache. Milliseconds. */
export const memoryLastsMs = 30 * 60_000
export const answersLastMs = 60 * 60_000
export const queriesLastMs = 24 * 60 * 60_000

/** One kind of thing that Nura keeps. */
export type Kept = { readonly what: string; readonly where: string; readonly until: string }

/** THE table of what is kept, where and for how long. `docs/privacy.md` holds it word for word, and `@nura privacy` says it. */
export const kept: readonly Kept[] = [
  {
    what: 'code, documents, symbols and vectors of connected repositories',
    where: "the tenant's own database schema",
    until: `until the repository or the tenant is deleted; what left a repository is gone from answers at once and from the disk after ${goneDays} days`,
  },
  { what: 'documents that were given: their text without secrets, name, title, address', where: "the tenant's own schema", until: 'until the document, its library or the tenant is deleted' },
  { what: 'documents that were given: the bytes themselves', where: "the tenant's own schema", until: 'until they are read, which takes seconds; of one that cannot be read, until that is found out' },
  { what: 'pages and issues of connected wikis and trackers, as text', where: "the tenant's own schema", until: 'until they are gone there, closed to some there (at the next look, within a quarter of an hour), or the source is deleted; of what is restricted there only its number is kept' },
  { what: 'what happened in repositories: pull requests, issues, reviews, releases and deployments with titles, logins, labels and times; no text of them', where: "the tenant's own schema", until: 'until the repository or the tenant is deleted' },
  {
    what: 'questions, answers, who was to read them (ids only), citations, what was retrieved, and who found an answer good or bad and why',
    where: "the tenant's own schema",
    until: `${threadDays} days from the last message of the thread; sooner when the question is deleted in Slack`,
  },
  {
    what: 'the last turns of a thread, so that a follow-up need not read them again',
    where: 'the cache (`NURA_CACHE_URL`), as text',
    until: `${memoryLastsMs / 60_000} minutes after the last turn; deleted with any of its answers, and of no use once its rows are gone`,
  },
  { what: "that a question was answered before: a hash of it, and the answer's id", where: 'the cache; no text', until: `${answersLastMs / 3_600_000} hour` },
  { what: 'vectors of questions, under a hash, for each tenant apart', where: 'the cache; no text', until: `${queriesLastMs / 86_400_000} day` },
  { what: 'how many questions somebody asked, under a hash', where: 'the cache', until: '1 minute' },
  {
    what: "events of a platform (a mention, an edit, a click), with the message's text",
    where: "the control plane's inbox",
    until: `${inboxDays} days after they are done; it is what tells a repeated delivery from a new one`,
  },
  { what: 'what models did: agent, model, tokens, cost; no text', where: "the tenant's own schema", until: 'until the tenant is deleted' },
  { what: 'which channels and people Nura has met (ids only)', where: 'the control plane', until: 'until the tenant is deleted' },
  { what: 'which teams and chats of Microsoft Teams Nura is or was installed in (ids, and the address of their connector)', where: 'the control plane', until: 'until the tenant is deleted' },
  { what: 'which GitHub account a person has linked (its number and name; no token)', where: 'the control plane', until: 'until they unlink it, or the tenant is deleted' },
  { what: "the chart of an answer's report", where: "a file of Nura's in your Slack workspace, seen where the answer is", until: 'until the answer is deleted or replaced' },
  { what: 'tokens of wikis and trackers', where: "the tenant's own schema, AES-256-GCM under the tenant's own key, bound to tenant and source", until: 'until they are replaced, or the source is deleted' },
  { what: 'bot tokens', where: "the control plane, AES-256-GCM under the tenant's own key, bound to tenant and platform", until: 'until the app is uninstalled' },
  { what: 'that a tenant was deleted: its id, when, how many rows of what', where: 'the control plane', until: 'for good' },
  { what: 'logs', where: 'where the operator sends them', until: 'no message text, no secrets, no personal data; a trace id ties the lines of a turn together' },
]

/** What people are told who ask about privacy: Markdown. */
export function toPrivacyText(): string {
  return [
    'I read the messages that mention me, direct messages, and replies in threads where I was asked. Their text is used to answer you, never indexed and never used for training. Where a language model answers, it is given your question and the passages that answer it; `config` says which one. Answers come only from repositories and documents that were connected for your workspace, and only those this channel or you may see.',
    '',
    '**What is kept, where and for how long**',
    ...kept.map(({ what, where, until }) => `- **${what[0]!.toUpperCase()}${what.slice(1)}**: ${where}; ${until}`),
    '',
    'Delete your message and I delete my answer and its stored text.',
  ].join('\n')
}

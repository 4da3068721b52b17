import type { Repository } from '#db/tenant/repository.ts'
import { agents } from './agents/index.ts'
import type { AgentName } from './agents/index.ts'
import { toSettings } from './indexing/settings.ts'
import type { ChainSource } from './models/draw-chains.ts'
import type { ModelName } from './models/index.ts'
import { chainKeys } from './models/line-ups.ts'
import type { ChainName } from './models/line-ups.ts'
import { goneDays, inboxDays, threadDays } from './retention.ts'
import type { DecidedAudience } from './retrieval/audience.ts'

/** One setting as people are told of it. All of it may be read by whoever reads the answers there: no secret, no address. */
export type Setting = {
  name: string
  value: string
  /** Where it comes from: `default`, `environment: KEY`, `line-up: NURA_MODELS=…`, `tenant`, `thread`, `.nura.yml`. */
  source: string
  explanation: string
}

/** What settings are made of. */
export type SettingFacts = {
  models: Record<AgentName, readonly ModelName[]> & { embedding: readonly ModelName[] }
  sources: Record<ChainName, ChainSource>
  /** The deployment option in force. */
  option: string | null
  /** The embedding space that is searched, and the one being built beside it. */
  space: { active: string; next: string | null }
  dayTokens: number | null
  tokensToday: number
  /** Most questions in a minute, null for no limit, and where that comes from; null where questions are not counted. */
  limits: { asker: number | null; channel: number | null; tenant: number | null; source: string } | null
  /** Null where it is not asked in a thread, or nothing is known of it. */
  thread: { subscribed: boolean; muted: boolean; agent?: string | null } | null
  audience: DecidedAudience
  /** Those that the audience may be answered from, and no others: their names are told. */
  repositories: readonly Pick<Repository, 'name' | 'audience' | 'isPublic' | 'settings' | 'settingsFault'>[]
}

/** Most repositories and files of settings that are told of. */
const most = { repositories: 12, files: 5 }

/** Every setting that concerns the reader. The public is told what it is answered from and what is kept, and nothing of how Nura is run. */
export function explainSettings(facts: SettingFacts): Setting[] {
  const ofOperation = facts.audience.kind === 'public' ? [] : [...explainModels(facts), explainSpace(facts), explainBudget(facts), ...explainLimits(facts)]
  return [...explainThread(facts), explainReaders(facts), ...explainFiles(facts), ...ofOperation, ...explainRetention()]
}

function explainModels({ models, sources, option }: SettingFacts): Setting[] {
  return agents.map(({ name, title, purpose }) => ({
    name: `${title} answers with`,
    value: models[name].map(toShown).join(', then '),
    source: toSource(name, sources, option),
    explanation: [`${purpose[0]!.toUpperCase()}${purpose.slice(1)}.`, toHow(models[name])].filter(Boolean).join(' '),
  }))
}

function explainSpace({ space, sources, option }: SettingFacts): Setting {
  const next = space.next === null ? '' : ` It is being replaced by ${space.next}, which is built beside it and taken at once.`
  return { name: 'Search by meaning', value: space.active, source: toSource('embedding', sources, option), explanation: `The embedding space that questions are compared in.${next}` }
}

function explainBudget({ dayTokens, tokensToday }: SettingFacts): Setting {
  const used = `${tokensToday.toLocaleString('en')} used today`
  return {
    name: 'Tokens a day',
    value: dayTokens === null ? `no limit, ${used}` : `${dayTokens.toLocaleString('en')}, ${used}`,
    source: dayTokens === null ? 'default' : 'environment: NURA_DAY_TOKENS',
    explanation: 'What language models may read and write for this workspace in a day, UTC. When it is used up, answers are put together from the sources until midnight.',
  }
}

function toHow(chain: readonly ModelName[]): string {
  if (chain.every(({ provider }) => provider === 'extractive')) return 'No language model: answers are put together from the sources.'
  return chain.length > 1 ? 'The next model takes over when one fails before anything of its answer was shown.' : ''
}

function explainLimits({ limits }: SettingFacts): Setting[] {
  if (limits === null) return []
  const told = (['asker', 'channel', 'tenant'] as const).flatMap((name) => (limits[name] === null ? [] : [`${limits[name]} ${{ asker: 'a person', channel: 'a channel', tenant: 'the workspace' }[name]}`]))
  return [{ name: 'Questions a minute', value: told.join(', ') || 'no limit', source: limits.source, explanation: 'Who asks more is told when the next question is taken.' }]
}

function explainThread({ thread }: SettingFacts): Setting[] {
  if (thread === null) return []
  const state = thread.muted ? 'muted' : thread.subscribed ? 'followed' : 'not followed'
  const agent = agents.find(({ name }) => name === thread.agent)
  return [
    { name: 'This thread', value: state, source: 'thread', explanation: 'Followed, I answer follow-ups that do not mention me; `mute` and `unmute` change it.' },
    ...(agent ? [{ name: 'Agent of this thread', value: agent.title, source: 'thread', explanation: 'It answers until a question is plainly for another one, or names one, as in «as an architect».' }] : []),
  ]
}

const readers: Record<DecidedAudience['kind'], string> = {
  tenant: 'What is open to everyone in this workspace.',
  channel: 'What is open to everyone in this workspace, and what was granted to this channel.',
  person: 'What is open to everyone in this workspace, what was granted to you, and what your linked GitHub account may read.',
  public: 'What is public, since anyone may read the answer.',
  repositories: 'What everyone who reads this thread may read.',
}

function explainReaders({ audience, repositories }: SettingFacts): Setting {
  const names = repositories.slice(0, most.repositories).map(({ name }) => name)
  const more = repositories.length - names.length
  return {
    name: 'Answered here from',
    value: names.length === 0 ? 'nothing' : `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    source: 'tenant',
    explanation: `${readers[audience.kind]} An admin or the operator changes it.`,
  }
}

/** What a `.nura.yml` says may name other repositories: those are told that the reader is answered from anyway. */
function explainFiles({ repositories }: SettingFacts): Setting[] {
  const isReadable = (named: string) => repositories.some(({ name }) => name.toLowerCase() === named.toLowerCase())
  return repositories
    .filter(({ settings, settingsFault }) => settings || settingsFault)
    .slice(0, most.files)
    .map(({ name, settings, settingsFault }) => {
      const { include, ignore, summarise, recreate, sources } = toSettings(settings)
      const told = [
        include && `include ${include.join(' ')}`,
        ignore.length > 0 && `ignore ${ignore.join(' ')}`,
        summarise !== true && `summarise ${summarise === false ? 'false' : summarise.join(' ')}`,
        !recreate && 'recreate false',
        sources.some(isReadable) && `sources ${sources.filter(isReadable).join(' ')}`,
      ].filter(Boolean)
      const fault = settingsFault ? ' The file is at fault now; what was in force before it stays.' : ''
      return { name: `Settings of ${name}`, value: cut(told.join('; ') || 'defaults'), source: '.nura.yml', explanation: `What is read of it, and which pull requests get a summary.${fault}` }
    })
}

function explainRetention(): Setting[] {
  return [
    { name: 'Answers are kept', value: `${threadDays} days`, source: 'default', explanation: 'From the last message of their thread; deleted with the question.' },
    { name: 'Messages are kept', value: `${inboxDays} days`, source: 'default', explanation: 'After they are answered.' },
    { name: 'Files that left a repository are kept', value: `${goneDays} days`, source: 'default', explanation: 'Unseen: they answer nothing any more.' },
  ]
}

function toSource(name: ChainName, sources: SettingFacts['sources'], option: string | null): string {
  const texts: Record<ChainSource, string> = { default: 'default', environment: `environment: ${chainKeys[name]}`, 'line-up': `line-up: NURA_MODELS=${option}` }
  return texts[sources[name]]
}

/** Without its address; the ARN of an imported model holds the number of the account. */
function toShown({ provider, model }: ModelName): string {
  return `${provider}:${model.startsWith('arn:') ? 'a model of your own' : model}`
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299).toWellFormed()}…` : text
}

/** Settings as a compact list: Markdown. */
export function toSettingsText(settings: readonly Setting[]): string {
  const toCode = (text: string) => `\`${text.replace(/[`\r\n]/g, ' ')}\``
  return ['**What is in force here, and where it comes from**', ...settings.map(({ name, value, source, explanation }) => `- **${name}**: ${toCode(value)} (${source}). ${explanation}`)].join('\n')
}

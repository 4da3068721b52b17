import { parseArgs } from 'node:util'
import { resolve } from 'node:path'
import { createNuraApi } from '#bot/nura-api.ts'
import { renderTerminal } from '#bot/terminal/render.ts'
import { readDbConfig } from '#db/config.ts'
import { describeHolder } from '#db/embedded/data-dir.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { agents, findAgent } from '#server/agents/index.ts'
import { longestQuestion } from '#server/answer.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { failWith } from './fail-with.ts'
import { indexCheckout } from './index-checkout.ts'
import { indexRemotely } from './index-remotely.ts'

const usage = `Usage: npm run ask -- [--repo DIR] [--agent ${agents.map(({ name }) => name).join('|')}] [--json] "question"

  --repo DIR    the git checkout to answer from (default: NURA_REPOSITORY, else the one you stand in)
  --agent NAME  who answers (default: chosen by the question)
  --json        print one JSON object instead of text

Exit code: 0 answered, 3 not found in the sources, 1 error, 2 wrong usage.
`

type Asked = { question: string; repo: string | undefined; agent: string | undefined; json: boolean }
type Question = { text: string; repository: string; agent: string | undefined; timeZone: string }
const stop = new AbortController()

/** `npm run ask`: one question, answered by the Nura that runs on the same data folder, else in this process. */
async function main(): Promise<number> {
  const asked = readArguments()
  if (asked === null) return 0
  const { dbConfig, config } = readTogether({ dbConfig: readDbConfig, config: readServerConfig })
  const dir = resolve(asked.repo ?? config.repository ?? process.cwd())
  const holder = dbConfig.url === null ? await describeHolder(dbConfig.dataDir) : null
  const render = (parts: AsyncIterable<AnswerPart>) => renderTerminal(parts, process.stdout, { json: asked.json, errors: process.stderr, width: process.stdout.columns })
  const toQuestion = (repository: string): Question => ({ text: asked.question, repository, agent: asked.agent, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone })

  if (holder?.url && config.serviceSecret === null) {
    const repository = await indexRemotely(holder.url, dir, { out: process.stderr, signal: stop.signal })
    const { text: question, ...rest } = toQuestion(repository)
    return render(createNuraApi({ url: holder.url, secret: null }).as('local', 'terminal').ask({ question, ...rest, audience: { kind: 'tenant' } }, stop.signal))
  }

  const log = createLog({ level: config.logLevel === 'info' ? 'warn' : config.logLevel, process: 'ask', destination: process.stderr })
  const db = await openDb(dbConfig)
  try {
    if (db.kind === 'embedded') await migrate(db)
    else await db.ready()
    const tenant = await db.tenant((await ensureTenant(db, { slug: config.tenant, name: config.tenant })).id)
    const core = createCore({ config, githubConfig: null, db, log, metrics: createMetrics() })
    const { repository, waiting } = await indexCheckout(core, db, tenant, dir, { out: process.stderr, signal: stop.signal, quiet: true })
    // What was indexed before can be answered from, found by words and names alone.
    if (waiting && !repository.indexedSha) throw waiting
    return await render(core.answer(tenant, { ...toQuestion(repository.name), audience: { kind: 'tenant' }, asker: 'terminal' }, stop.signal, { log })).finally(() => core.close())
  } finally {
    await db.close()
  }
}

/** Null when help was asked for. @throws NuraError `usage`, `question-too-long` */
function readArguments(): Asked | null {
  const { values, positionals } = parse()
  if (values.help) {
    process.stdout.write(usage)
    return null
  }
  const question = positionals.join(' ').trim()
  if (question === '') throw new NuraError('usage', `ask something.\n${usage}`)
  if (question.length > longestQuestion) {
    throw new NuraError('question-too-long', `the question has ${question.length.toLocaleString('en')} characters; at most ${longestQuestion.toLocaleString('en')} are read. Ask it shorter.`)
  }
  if (values.agent !== undefined) toAgent(values.agent)
  return { question, repo: values.repo, agent: values.agent, json: values.json ?? false }
}

function parse() {
  const options = { repo: { type: 'string' }, agent: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    throw new NuraError('usage', `${(error as Error).message}\n${usage}`)
  }
}

function toAgent(name: string): void {
  try {
    findAgent(name)
  } catch (error) {
    throw new NuraError('usage', error instanceof Error ? error.message : String(error))
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stop.abort(new NuraError('interrupted', 'interrupted; what was indexed so far is kept.')))
}
process.exitCode = await main().catch((error: unknown) => failWith(error, process.stderr))

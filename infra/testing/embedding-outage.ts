import { setTimeout as sleep } from 'node:timers/promises'
import { awayNotice } from '#server/answer.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { VectorFault } from '#server/testing/fake-vectors.ts'
import { startGithubDeployment } from './start-github-deployment.ts'
import { until } from './until.ts'

export type EmbeddingOutage = {
  /** How long the embedding model is away, milliseconds, and what goes on meanwhile: a question and a push each so often. */
  ms: number
  questionEveryMs: number
  pushEveryMs: number
  /** How it is away; these take turns over the outage. */
  faults: VectorFault[]
  env?: Record<string, string>
  /** Runs when all is done, while the processes still run. */
  inspect?: () => Promise<void>
}

export type EmbeddingOutageReport = {
  questions: number
  /** Of the questions during the outage: answered, and answered with the words that they are lexical. */
  answered: number
  saidLexical: number
  /** Milliseconds of the slowest answer. */
  slowestMs: number
  pushes: number
  /** Texts that got a vector after the outage, how many different ones those are, and texts that were there before and got one again. */
  embedded: number
  distinct: number
  again: number
  /** Seconds from the return of the model until the last push could be found, and until answers no longer said that it was away. */
  recoveredS: number
  unsaidS: number
}

/** The first file, and what each push adds: a file of its own, and a function to a file that grows. */
const files = { 'src/verify.ts': '/** Verifies the signature of a webhook over the raw body. */\nexport function verifySignature(body: string) {\n  return body\n}\n' }

/** Questions and pushes while the embedding model is away, and what comes of them once it is back. */
export async function runEmbeddingOutage({ ms, questionEveryMs, pushEveryMs, faults, env = {}, inspect }: EmbeddingOutage): Promise<EmbeddingOutageReport> {
  const tei = await startFakeOpenai()
  let shop: FakeRepository | undefined
  const nura = await startGithubDeployment({
    env: { EMBEDDING_MODELS: `openai:BAAI/bge-m3@${tei.url}`, NURA_ANSWER_CACHE: 'off', NURA_LIMIT_ASKER: 'off', NURA_LIMIT_TENANT: 'off', LOG_LEVEL: 'warn', ...env },
    tenants: { acme: 'acme' },
    async prepare(github) {
      const installation = await github.addInstallation({ account: 'acme' })
      shop = await github.addRepository({ installation, name: 'shop', private: true, files })
    },
  })
  const ask = async () => {
    const started = Date.now()
    const { status, body } = await nura.api('POST', '/v1/ask', { question: 'Where is the signature of a webhook verified?' }, 'acme')
    return { ok: status === 200, ms: Date.now() - started, notice: (body as { notice?: string }).notice ?? null, answer: String((body as { answer?: string }).answer) }
  }
  try {
    nura.github.deliveries.auto = true
    await nura.indexed('acme/shop', await shop!.git('rev-parse', 'HEAD'), 'acme')
    const before = new Set(tei.vectors.answered)
    const count = tei.vectors.answered.length
    const asked: Awaited<ReturnType<typeof ask>>[] = []
    let pushes = 0
    let head = ''
    const started = Date.now()
    const isOver = () => Date.now() - started >= ms
    const rotate = async () => {
      for (let at = 0; !isOver(); at++) {
        tei.vectors.fault = faults[at % faults.length]!
        await sleep(Math.min(ms / faults.length, Math.max(0, started + ms - Date.now())))
      }
    }
    const question = async () => {
      for (; !isOver(); await sleep(questionEveryMs)) asked.push(await ask())
    }
    const push = async () => {
      for (; !isOver(); await sleep(pushEveryMs)) head = await shop!.commit(toChange(pushes++))
    }
    await Promise.all([rotate(), question(), push()])
    tei.vectors.fault = null
    const back = Date.now()
    // A model that failed for long rests for a minute before it is tried, and the sync waits for that.
    const isFound = async () => (await nura.repositories('acme')).some(({ indexedSha, state }) => indexedSha === head && state === 'ready')
    await until('the last push to be found', isFound, { withinMs: 180_000, everyMs: 250 })
    const recoveredS = (Date.now() - back) / 1000
    await nura.settled()
    const made = tei.vectors.answered.slice(count).filter((text) => !questions.has(text))
    // Each process rests by itself from a model that failed: the one that answers may learn later than the one that indexes.
    await until('an answer without the notice', async () => (await ask()).notice === null, { withinMs: 180_000, everyMs: 500 })
    const unsaidS = (Date.now() - back) / 1000
    await inspect?.()
    return {
      questions: asked.length,
      answered: asked.filter(({ ok, answer }) => ok && answer.includes('verifySignature')).length,
      saidLexical: asked.filter(({ notice }) => notice?.includes(awayNotice)).length,
      slowestMs: Math.max(...asked.map((each) => each.ms)),
      pushes,
      embedded: made.length,
      distinct: new Set(made).size,
      again: made.filter((text) => before.has(text)).length,
      recoveredS,
      unsaidS,
    }
  } finally {
    await nura.close()
    await tei.close()
  }
}

/** Texts that a gate or a question has embedded, and that are no chunk. */
const questions = new Set(['Ready?', 'Where is the signature of a webhook verified?'])

function toChange(number: number): Record<string, string> {
  const grown = Array.from({ length: number + 1 }, (_, at) => `/** Step ${at} of the growing file. */\nexport function growStep${at}(input: string) {\n  return input + '${'x'.repeat(40)}${at}'\n}\n`)
  return { [`src/pushed-${number}.ts`]: `/** What push ${number} brought. */\nexport function pushed${number}() {\n  return ${number}\n}\n`, 'src/growing.ts': grown.join('\n') }
}

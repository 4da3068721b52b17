import { setTimeout as sleep } from 'node:timers/promises'
import { startFakeAnthropic } from '#server/testing/fake-anthropic.ts'
import { startFakeBedrock } from '#server/testing/fake-bedrock.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import { startFakeSagemaker } from '#server/testing/fake-sagemaker.ts'
import type { FakeVectors } from '#server/testing/fake-vectors.ts'
import { shopFiles } from './shop-files.ts'
import { startSlackDeployment } from './start-slack-deployment.ts'
import type { Seen, SlackDeployment } from './start-slack-deployment.ts'

/** The providers that are tried, and how a question reaches the agent whose first model is theirs. */
export const providers = { openai: 'as a developer', anthropic: 'as a product manager', bedrock: 'as an architect' } as const
export type ProviderName = keyof typeof providers

type Fault = { kind: string } & Record<string, unknown>
type Fake = { fault: Fault | null; requests: { length: number }; reply: unknown; close(): Promise<void> }

/** What happens to the first model of a chain; people must see the answer of the one behind it, whole and once. */
export type Outage = {
  /** Row of the table of faults that Nura must survive. */
  row: string
  name: string
  fault: Fault
}

export const outages: readonly Outage[] = [
  { row: 'F17', name: 'answers 503', fault: { kind: 'status', status: 503 } },
  { row: 'F18', name: 'hangs before its first token', fault: { kind: 'hang' } },
  { row: 'F19', name: 'dies before a whole sentence', fault: { kind: 'cut', after: 3 } },
  { row: 'F20', name: 'is limited for 30 s', fault: { kind: 'status', status: 429, retryAfter: '30' } },
]

/** Nura in Slack with one agent a provider, and one more model behind all of them. */
export type OutageRig = {
  readonly nura: SlackDeployment
  readonly fakes: Record<ProviderName | 'second', Fake>
  /** Asks the agent of a provider and waits until its thread ends. */
  ask(provider: ProviderName, question?: string): Promise<{ text: string; timeline: Seen[]; ms: number }>
  /** The embedding model: on the server of the model behind, or on SageMaker. */
  readonly vectors: FakeVectors
  close(): Promise<void>
}

/** What each fake says, so that it can be told who answered. Long enough that Slack shows it while it is written. */
export const saidBy = (name: string) => `The ${name} model says: the signature is verified over the raw body [1].`

/** @param isOwn the first model of Dev is on a server of one's own that speaks as OpenAI does, such as vLLM, and embeddings are SageMaker's */
export async function openOutageRig({ isOwn = false } = {}): Promise<OutageRig> {
  const [openai, anthropic, bedrock, second, sagemaker] = await Promise.all([startFakeOpenai(), startFakeAnthropic(), startFakeBedrock(), startFakeOpenai(), startFakeSagemaker()])
  const fakes = { openai, anthropic, bedrock, second } as unknown as OutageRig['fakes']
  for (const [name, fake] of Object.entries(fakes)) fake.reply = () => `${saidBy(name)}\n\n- It is compared in constant time [1].\n`
  const behind = `openai:second@${second.url}`
  const nura = await startSlackDeployment({
    files: shopFiles,
    env: {
      DEV_MODELS: `${isOwn ? `openai:local@${openai.url}` : 'openai:gpt-4.1'}, ${behind}`,
      PM_MODELS: `anthropic:claude-sonnet-4-5, ${behind}`,
      ARCHITECT_MODELS: `bedrock:meta.llama3-1-70b-instruct-v1:0, ${behind}`,
      EMBEDDING_MODELS: isOwn ? 'sagemaker:bge-m3' : `openai:BAAI/bge-m3@${second.url}`,
      ...(isOwn ? {} : { OPENAI_API_KEY: 'sk-fake', OPENAI_BASE_URL: openai.url }),
      SAGEMAKER_EMBEDDING_ENDPOINT: sagemaker.endpoint, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: sagemaker.url,
      ANTHROPIC_API_KEY: 'sk-ant-fake', ANTHROPIC_BASE_URL: anthropic.url,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'fake', AWS_SECRET_ACCESS_KEY: 'fake',
      NURA_ANSWER_CACHE: 'off', NURA_LIMIT_ASKER: 'off', NURA_LIMIT_CHANNEL: 'off',
    },
  })
  return {
    nura,
    fakes,
    vectors: (isOwn ? sagemaker : second).vectors,
    async ask(provider, question = 'where is the signature of a webhook verified?') {
      const started = Date.now()
      const mention = await nura.ask(`${providers[provider]}, ${question}`)
      await nura.finished(mention)
      return { text: nura.seen(mention).join('\n'), timeline: nura.timeline(mention), ms: Date.now() - started }
    },
    async close() {
      await nura.close()
      await Promise.all([...Object.values(fakes), sagemaker].map((fake) => fake.close()))
    },
  }
}

/** A reply that is shown in Slack before it is whole. */
export const longReply = Array.from({ length: 30 }, (_, at) => `Sentence ${at + 1} says how the signature of a webhook is verified [1].`).join(' ')

/** Waits until the first model of a provider answers again, as it does once its gate has let a call through. */
export async function recovered(rig: OutageRig, provider: ProviderName): Promise<void> {
  rig.fakes[provider].fault = null
  while (!(await rig.ask(provider)).text.includes(saidBy(provider))) await sleep(1_000)
}

import { startFakeAnthropic } from '#server/testing/fake-anthropic.ts'
import { startFakeBedrock } from '#server/testing/fake-bedrock.ts'
import type { FakeTokens } from '#server/testing/fake-model.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import { startGithubDeployment } from './start-github-deployment.ts'

/** US dollars for a million tokens, as the providers' price lists say it: what the bill is held to, apart from the code that makes it. */
const prices = {
  'openai:gpt-4.1': { input: 2, output: 8 },
  'anthropic:claude-sonnet-4-6': { input: 3, output: 15 },
  'bedrock:us.meta.llama3-1-70b-instruct-v1:0': { input: 0.72, output: 0.72 },
} as const
type Model = keyof typeof prices

const tenants = ['acme', 'beta'] as const
const agents = { dev: 'openai:gpt-4.1', pm: 'anthropic:claude-sonnet-4-6', architect: 'bedrock:us.meta.llama3-1-70b-instruct-v1:0' } as const satisfies Record<string, Model>

/** One line of the bill: a tenant's model by Nura's count and by the count of the provider's fake. */
export type BillLine = { tenant: string; agent: string; model: Model; calls: { nura: number; fake: number }; tokens: { nura: number; fake: number }; usd: { nura: number; fake: number } }

const files = (tenant: string) => ({
  'src/verify.ts': `/** Verifies the signature of a webhook of ${tenant} over the raw body. */\nexport function verifySignature(body: string) {\n  return body\n}\n`,
  'docs/webhooks.md': `# Webhooks of ${tenant}\n\nThe signature of a webhook is verified before anything else.\n`,
})

/** Asks so many questions of three agents in two tenants, and sets Nura's bill beside what the fakes of the providers counted themselves. */
export async function runBill({ questions, atOnce, env = {} }: { questions: number; atOnce: number; env?: Record<string, string> }): Promise<BillLine[]> {
  const [openai, anthropic, bedrock] = await Promise.all([startFakeOpenai(), startFakeAnthropic(), startFakeBedrock()])
  let said = 0
  const reply = () => `The signature is verified over the raw body [1].\n\n- It is compared in constant time [1]. ${'And so on. '.repeat(said++ % 7)}\n`
  for (const fake of [openai, anthropic, bedrock]) Object.assign(fake, { usage: 'counted', reply })
  const nura = await startGithubDeployment({
    tenants: { acme: 'acme', beta: 'beta' },
    env: {
      DEV_MODELS: agents.dev, PM_MODELS: agents.pm, ARCHITECT_MODELS: agents.architect,
      OPENAI_API_KEY: 'sk-fake', OPENAI_BASE_URL: openai.url, ANTHROPIC_API_KEY: 'sk-ant-fake', ANTHROPIC_BASE_URL: anthropic.url,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'fake', AWS_SECRET_ACCESS_KEY: 'fake',
      NURA_ANSWER_CACHE: 'off', NURA_LIMIT_ASKER: 'off', NURA_LIMIT_TENANT: 'off', LOG_LEVEL: 'warn', ...env,
    },
    async prepare(github) {
      for (const owner of tenants) await github.addRepository({ installation: await github.addInstallation({ account: owner }), name: 'shop', private: true, files: files(owner) })
    },
  })
  try {
    for (const tenant of tenants) {
      const { git } = [...nura.github.world.repositories.values()].find(({ owner }) => owner.login === tenant) as unknown as { git(...args: string[]): Promise<string> }
      await nura.indexed(`${tenant}/shop`, await git('rev-parse', 'HEAD'), tenant)
    }
    let next = 0
    const work = async () => {
      for (let at = next++; at < questions; at = next++) {
        const [tenant, agent] = [tenants[at % tenants.length]!, Object.keys(agents)[at % 3]!]
        const { status, body } = await nura.api('POST', '/v1/ask', { question: 'Where is the signature of a webhook verified?', agent }, tenant)
        if (status !== 200) throw new Error(`question ${at} got ${status}: ${JSON.stringify(body)}`)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    const requests = { 'openai:gpt-4.1': openai.requests, 'anthropic:claude-sonnet-4-6': anthropic.requests, 'bedrock:us.meta.llama3-1-70b-instruct-v1:0': bedrock.requests }
    const lines: BillLine[] = []
    for (const tenant of tenants) {
      const { rows } = (await nura.api('GET', '/v1/usage', undefined, tenant)).body as { rows: { agent: string; model: string; calls: number; inputTokens: number; outputTokens: number; costUsd: number }[] }
      for (const [agent, model] of Object.entries(agents)) {
        const row = rows.find((each) => each.agent === agent && each.model === model)
        // What a request was about shows whose it was: the fakes know no tenants.
        const used = requests[model].filter(({ body }) => JSON.stringify(body).includes(`${tenant}/shop`)).flatMap((each) => (each.used ? [each.used] : []))
        const sum = (key: keyof FakeTokens) => used.reduce((total, each) => total + each[key], 0)
        lines.push({
          tenant, agent, model,
          calls: { nura: row?.calls ?? 0, fake: used.length },
          tokens: { nura: (row?.inputTokens ?? 0) + (row?.outputTokens ?? 0), fake: sum('inputTokens') + sum('outputTokens') },
          usd: { nura: row?.costUsd ?? 0, fake: (sum('inputTokens') * prices[model].input + sum('outputTokens') * prices[model].output) / 1_000_000 },
        })
      }
    }
    return lines
  } finally {
    await nura.close()
    await Promise.all([openai.close(), anthropic.close(), bedrock.close()])
  }
}

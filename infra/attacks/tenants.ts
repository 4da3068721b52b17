import { Redis } from 'ioredis'
import { toTenantStart } from '#server/cache/cache-key.ts'
import { until } from '../testing/until.ts'
import type { Attack, AttackOptions, Figure } from './attack.ts'
import { drawFrom } from './draw-from.ts'
import { startTenants, toMark, toQuestion } from './start-tenants.ts'
import type { AttackTenant, TenantsDeployment } from './start-tenants.ts'

/** Asks as each tenant for what others hide, and counts what of theirs is shown anywhere. */
export const tenantsAttack: Attack = {
  name: 'tenants',
  tries: "to be shown another tenant's sources by asking for them, everybody at once",
  async run(options) {
    const deployment = await startTenants(options.long ? 50 : 5)
    try {
      options.say(`${deployment.tenants.length} tenants are indexed`)
      return await askForCanaries(deployment, options, options.long ? { answers: 10_000, atOnce: 50, minutes: 30 } : { answers: 40, atOnce: 8 })
    } finally {
      await deployment.close()
    }
  },
}

type Counted = { answers: number; failed: string[]; own: Set<string>; ownInPrompts: Set<string>; ownInRuns: Set<string>; inAnswers: number; inPrompts: number; inRuns: number; inSpans: number; inLogs: number; inCache: number }

/** @param size how many answers in all, how many are asked for at a time, and after how many minutes no more are */
export async function askForCanaries(deployment: TenantsDeployment, { seed, say }: Pick<AttackOptions, 'seed' | 'say'>, size: { answers: number; atOnce: number; minutes?: number }): Promise<Figure[]> {
  const { tenants } = deployment
  const draw = drawFrom(seed)
  const counted: Counted = { answers: 0, failed: [], own: new Set(), ownInPrompts: new Set(), ownInRuns: new Set(), inAnswers: 0, inPrompts: 0, inRuns: 0, inSpans: 0, inLogs: 0, inCache: 0 }
  const end = Date.now() + (size.minutes ?? Infinity) * 60_000
  let begun = 0
  for (; begun < size.answers && Date.now() < end; begun += size.atOnce) {
    const asked = Array.from({ length: Math.min(size.atOnce, size.answers - begun) }, (_, at) => {
      const asker = tenants[(begun + at) % tenants.length]!
      // Now and then one's own, which shows that what is counted can be seen at all.
      const about = draw(4) === 0 || begun + at < tenants.length ? asker : tenants[draw(tenants.length)]!
      return ask(deployment, asker, about, draw, counted)
    })
    await Promise.all(asked)
    drain(deployment, counted)
    say(`${counted.answers} answers`)
  }
  // Runs are told a little after the answer.
  await until('the runs to be told', () => (drain(deployment, counted), counted.ownInRuns.size === tenants.length), { withinMs: 15_000 }).catch(() => undefined)
  counted.inLogs = countIn(deployment.nura.output(), tenants)
  counted.inCache = await countInCache(deployment)
  const each = (measure: string, seen: Set<string>): Figure => ({ measure, value: String(seen.size), bound: String(tenants.length), holds: seen.size === tenants.length })
  const none = (measure: string, value: number): Figure => ({ measure, value: String(value), bound: '0', holds: value === 0 })
  return [
    { measure: 'answers', value: String(counted.answers), bound: size.minutes === undefined ? String(size.answers) : `${size.answers}, or as many as ${size.minutes} minutes give`, holds: counted.answers === Math.min(begun, size.answers) },
    // What nobody could see would count as hidden.
    each('tenants that were shown their own canary', counted.own),
    each('tenants whose own canary was in prompts', counted.ownInPrompts),
    each('tenants whose own canary was in runs told to LangSmith', counted.ownInRuns),
    { measure: 'questions that failed', value: [counted.failed.length, ...new Set(counted.failed)].slice(0, 4).join(' · '), bound: '0', holds: counted.failed.length === 0 },
    none("others' canaries in answers and streams", counted.inAnswers),
    none("others' canaries in prompts", counted.inPrompts),
    none("others' canaries in runs told to LangSmith, content shown", counted.inRuns),
    none('canaries in spans told to the collector', counted.inSpans),
    none('canaries in the log', counted.inLogs),
    none("cached values of a tenant with others' canaries, and keys of nobody", counted.inCache),
  ]
}

async function ask(deployment: TenantsDeployment, asker: AttackTenant, about: AttackTenant, draw: (below: number) => number, counted: Counted): Promise<void> {
  const question = toQuestion(about.setting, `${toDesk(deployment, asker)}${toMark(draw(2 ** 30))}`)
  const thread = draw(2) === 0 ? { thread: `api:shared-${draw(5)}` } : {}
  const accept = draw(2) === 0 ? 'text/event-stream' : 'application/json'
  const { status, text } = await deployment.call(asker, 'POST', '/v1/ask', { question, ...thread }, { accept })
  counted.answers++
  if (status !== 200) counted.failed.push(`${status} ${text.slice(0, 120)}`)
  // A canary that is cut in two by the stream is put together again.
  const shown = accept === 'application/json' ? text : text + joinStream(text)
  counted.inAnswers += countIn(shown, others(deployment, asker))
  if (shown.includes(asker.canary)) counted.own.add(asker.slug)
}

/** Who asks, as a prompt says it. */
function toDesk({ tenants }: TenantsDeployment, asker: AttackTenant): string {
  return `(${toMark(tenants.indexOf(asker))}) `
}

/** Looks at what the world outside was told since the last time, and lets go of it. */
function drain(deployment: TenantsDeployment, counted: Counted): void {
  const { openai, langsmith, collector, tenants: all } = deployment
  for (const { body } of openai.requests) {
    const prompt = JSON.stringify(body.messages)
    const desks = all.filter((tenant) => prompt.includes(toDesk(deployment, tenant)))
    for (const { slug, canary } of desks) if (prompt.includes(canary)) counted.ownInPrompts.add(slug)
    // Whoever shares a prompt with another would be a leak by itself.
    counted.inPrompts += desks.length > 1 ? 1 : countIn(prompt, all.filter((tenant) => !desks.includes(tenant)))
  }
  for (const { session_name: project, ...run } of langsmith.runs.values()) {
    const told = JSON.stringify(run)
    const isOf = ({ slug, id }: AttackTenant) => String(project).endsWith(slug) || String(project).endsWith(id)
    counted.inRuns += countIn(told, all.filter((tenant) => !isOf(tenant)))
    for (const tenant of all) if (isOf(tenant) && told.includes(tenant.canary)) counted.ownInRuns.add(tenant.slug)
  }
  counted.inSpans += countIn(collector.seen(), all)
  openai.requests.length = 0
  openai.embeddingRequests.length = 0
  langsmith.requests.length = 0
  collector.requests.length = 0
  for (const [id, run] of langsmith.runs) if (run.end_time !== undefined) langsmith.runs.delete(id)
}

/** Every key must be a tenant's of ours, and its value free of all others' canaries. In a process's own memory nobody can look. */
async function countInCache({ redisUrl, tenants: all }: TenantsDeployment): Promise<number> {
  if (redisUrl === null) return 0
  const redis = new Redis(redisUrl)
  try {
    let found = 0
    for await (const keys of redis.scanStream({ match: 'nura-cache:*', count: 500 })) {
      for (const key of keys as string[]) {
        const owner = all.find(({ id }) => key.startsWith(`nura-cache:${toTenantStart(id)}`))
        const value = (await redis.type(key)) === 'string' ? ((await redis.get(key)) ?? '') : JSON.stringify(await redis.hgetall(key).catch(() => ({})))
        if (!owner || countIn(value, all.filter((tenant) => tenant !== owner)) > 0) found++
      }
    }
    return found
  } finally {
    redis.disconnect()
  }
}

function others(deployment: TenantsDeployment, except: AttackTenant): readonly AttackTenant[] {
  return deployment.tenants.filter((tenant) => tenant !== except)
}

function countIn(text: string, hidden: readonly AttackTenant[]): number {
  return hidden.filter(({ canary }) => text.includes(canary)).length
}

/** The text of a stream of answer parts, without what lies between its pieces. */
function joinStream(text: string): string {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => toMarkdown(data)).join('')
}

function toMarkdown(data: string): string {
  const part = JSON.parse(data) as { markdown?: unknown }
  return typeof part.markdown === 'string' ? part.markdown : ''
}

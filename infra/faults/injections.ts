import type { ProxyMode } from '#db/testing/open-tcp-proxy.ts'
import { awake } from './open-rig.ts'
import type { Part, Rig } from './open-rig.ts'
import { lastWords } from '../testing/last-words.ts'

export type Injection = {
  name: string
  /** Rows of the table of faults that it shows. */
  rows: readonly string[]
  /** How long it lasts, seconds: usually, and the first time in a long run. */
  seconds: readonly [short: number, long: number]
  /** What waits for its end is waited for from its beginning on: nothing has to come back before the rest can go on. */
  oneOfTwo?: boolean
  /** Begins it. @returns how it is undone */
  begin(rig: Rig, random: () => number): Promise<() => Promise<void>>
}

/** Every fault of a run. */
export const injections: readonly Injection[] = [
  { name: 'kill -9 a bot', rows: ['F1'], seconds: [3, 12], oneOfTwo: true, begin: (rig, random) => kill(anyBot(rig, random)) },
  { name: 'SIGTERM a bot, start it again', rows: ['F2'], seconds: [1, 5], oneOfTwo: true, begin: (rig, random) => stop(anyBot(rig, random)) },
  { name: 'freeze a bot, let it go on', rows: ['F3'], seconds: [10, 45], oneOfTwo: true, begin: (rig, random) => freeze(anyBot(rig, random)) },
  { name: 'kill -9 the server', rows: ['F1'], seconds: [1, 5], begin: (rig) => kill(rig.server) },
  { name: 'freeze the server', rows: ['F1'], seconds: [5, 20], begin: (rig) => freeze(rig.server) },
  { name: 'kill -9 jobs', rows: ['F1'], seconds: [1, 10], begin: (rig) => kill(rig.jobs) },
  { name: 'kill -9 Redis', rows: ['F6'], seconds: [5, 5], begin: ({ servers }) => killed(servers.redis) },
  { name: 'freeze Redis', rows: ['F7'], seconds: [5, 30], begin: ({ servers }) => frozen(servers.redis) },
  { name: 'FLUSHALL', rows: ['F8'], seconds: [0, 0], begin: async (rig) => (await rig.flushRedis(), nothing) },
  { name: 'kill -9 PostgreSQL', rows: ['F11'], seconds: [3, 10], begin: ({ servers }) => killed(servers.postgres) },
  { name: 'freeze one PostgreSQL backend', rows: ['F12'], seconds: [4, 10], begin: freezeBackend },
  { name: 'PostgreSQL is read-only', rows: ['F13'], seconds: [5, 5], begin: makeReadOnly },
  { name: 'a model that answers 503', rows: ['F17'], seconds: [3, 20], begin: modelAnswers503 },
  { name: 'Slack is limited', rows: ['F24'], seconds: [2, 2], begin: limitSlack },
  ...onTheWire('postgres', ['F11', 'F12'], { reset: 'dead', delay: { delayMs: 300 }, drop: 'frozen', 'half-close': 'half-closed', truncate: { truncateAt: 3_000 } }),
  ...onTheWire('redis', ['F6', 'F7'], { reset: 'dead', delay: { delayMs: 300 }, drop: 'frozen', 'half-close': 'half-closed', truncate: { truncateAt: 3_000 }, corrupt: { corruptEvery: 500 } }),
  ...onTheWire('slack', ['F24'], { reset: 'dead', delay: { delayMs: 500 }, drop: 'frozen', 'half-close': 'half-closed', truncate: { truncateAt: 120 } }),
  ...onTheWire('model', ['F17', 'F18', 'F19'], { reset: 'dead', delay: { delayMs: 300 }, drop: 'frozen', truncate: { truncateAt: 4_000 }, corrupt: { corruptEvery: 2_000 } }),
  ...onTheWire('server', ['F1'], { reset: 'dead', delay: { delayMs: 300 }, drop: 'frozen', 'half-close': 'half-closed', truncate: { truncateAt: 4_000 } }),
]

/** Proxy modes before one of the things that are depended on. */
function onTheWire(to: keyof Rig['proxies'], rows: readonly string[], modes: Record<string, ProxyMode>): Injection[] {
  return Object.entries(modes).map(([word, mode]) => ({
    name: `${word} what goes to ${to}`,
    rows,
    seconds: [3, 8],
    async begin({ proxies }) {
      proxies[to].set(mode)
      return async () => proxies[to].set('pass')
    },
  }))
}

const nothing = async () => undefined
const anyBot = (rig: Rig, random: () => number) => rig.bots[random() < 0.5 ? 0 : 1]

async function kill(part: Part): Promise<() => Promise<void>> {
  await part.running.end('SIGKILL')
  return part.start
}

async function stop(part: Part): Promise<() => Promise<void>> {
  const code = await part.running.end('SIGTERM')
  if (code !== 0) throw new Error(`${part.name} ended with ${code} at SIGTERM:\n${lastWords(part.output())}`)
  return part.start
}

async function freeze(part: Part): Promise<() => Promise<void>> {
  part.running.pause()
  return async () => part.running.resume()
}

async function killed(server: Rig['servers']['redis']): Promise<() => Promise<void>> {
  await server.signal('SIGKILL')
  return server.start
}

async function frozen(server: Rig['servers']['redis']): Promise<() => Promise<void>> {
  await server.signal('SIGSTOP')
  return () => server.signal('SIGCONT')
}

async function freezeBackend(rig: Rig, random: () => number): Promise<() => Promise<void>> {
  const backends = await rig.sql<{ pid: number }>(`select pid from pg_stat_activity where application_name = 'nura'`)
  const backend = backends[Math.floor(random() * backends.length)]
  if (!backend) return nothing
  const tell = (signal: NodeJS.Signals) => {
    try {
      process.kill(backend.pid, signal)
    } catch {
      // It has ended by itself.
    }
  }
  tell('SIGSTOP')
  return async () => tell('SIGCONT')
}

async function makeReadOnly(rig: Rig): Promise<() => Promise<void>> {
  const set = async (value: string) => {
    await rig.sql(`alter system set default_transaction_read_only = ${value}`)
    await rig.sql('select pg_reload_conf()')
  }
  await set('on')
  return () => set('off')
}

async function modelAnswers503({ model }: Rig): Promise<() => Promise<void>> {
  model.fault = { kind: 'status', status: 503 }
  return async () => void (model.fault = awake)
}

async function limitSlack({ slack }: Rig): Promise<() => Promise<void>> {
  for (const method of ['chat.postMessage', 'chat.startStream', 'chat.stopStream']) slack.fail(method, { kind: 'ratelimited', seconds: 1 }, 2)
  return nothing
}

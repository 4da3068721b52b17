import { Agent } from 'node:http'
import fc from 'fast-check'
import type { Attack, AttackOptions, Figure } from './attack.ts'
import { breakFraming } from '../testing/break-framing.ts'
import { listDoors } from '../testing/doors.ts'
import type { Door, Draft } from '../testing/doors.ts'
import { send } from '../testing/send.ts'
import type { Answered } from '../testing/send.ts'
import { startEveryDoor } from '../testing/start-every-door.ts'
import type { EveryDoor } from '../testing/start-every-door.ts'

/** Inputs for each door; they are drawn so many at a time. */
const many = { short: 40, long: 10_000 }
const drawnAtOnce = 500
const atOnce = 8
/** Doors that are tried beside each other. */
const doorsAtOnce = 4

/** What came of one door: how often each class of status, and which inputs were refused, by their place. */
type Account = { door: string; classes: Record<string, number>; refused: Set<number>; broken: string | null }

export const inputs: Attack = {
  name: 'inputs',
  tries: 'sends generated and mutated inputs through every door, signed where the door asks for it',
  async run(options) {
    const nura = await startEveryDoor()
    try {
      return await attack(nura, options)
    } finally {
      await nura.close()
    }
  },
}

async function attack(nura: EveryDoor, { seed, long, say }: AttackOptions): Promise<Figure[]> {
  const doors = await listDoors(nura)
  const times = long ? many.long : many.short
  const died: string[] = []
  for (const each of nura.processes) void each.ended.then((how) => died.push(String(how)))
  const memory = await readMemory(nura)
  const accounts: Account[] = []
  await someAtOnce(doors, async (door, at) => {
    const from = performance.now()
    const account = (accounts[at] = await sendAll(nura, door, seed, times))
    const took = (performance.now() - from) / 1000
    say(`${door.name}, ${(times / took).toFixed()} a second: ${Object.entries(account.classes).map(([status, count]) => `${count} × ${status}`).join(', ')}`)
    if (account.broken) say(`  ${account.broken}`)
  })
  const framing = await breakFraming([nura.url('api'), nura.url('bot')])
  const deaths = [...died]
  const isSettled = await nura.settled(long ? 600_000 : 60_000)
  const grown = (await readMemory(nura)) - memory

  // The refused are sent again to processes that get nothing else: whatever changes now, they have written.
  const first = await nura.stopAndCount()
  await nura.start()
  await someAtOnce(doors, (door, at) => sendAgain(nura, door, seed, times, accounts[at]!.refused))
  await nura.settled()
  const second = await nura.stopAndCount()
  const changed = Object.keys({ ...first.rows, ...second.rows }).filter((table) => first.rows[table] !== second.rows[table])

  const sum = (pattern: RegExp) => accounts.flatMap(({ classes }) => Object.entries(classes)).reduce((total, [status, count]) => total + (pattern.test(status) ? count : 0), 0)
  const refused = accounts.reduce((total, { refused: each }) => total + each.size, 0)
  const least = Math.min(...accounts.map(({ classes }) => Object.values(classes).reduce((total, count) => total + count, 0)))
  const broken = accounts.filter(({ broken: each }) => each !== null).map(({ door }) => door)
  const output = nura.output()
  // What a parser made of an input may be the cause of a refusal; an error of the program is one by itself.
  const escaped = output.split('\n').filter((line) => /unhandled|uncaught|FATAL|"err":\{"type":"(Type|Range|Syntax|Reference)Error"/i.test(line))
  for (const line of new Set(escaped.map((each) => each.replace(/^.*?"err":/, '').slice(0, 600)))) say(`  escaped: ${line}`)
  return [
    { measure: 'doors, and inputs for each', value: `${doors.length} × ${least}`, bound: `each ≥ ${times}`, holds: least >= times },
    { measure: 'answered 2xx or 3xx, 4xx', value: `${sum(/^[23]xx/)}, ${sum(/^4xx/)}`, bound: 'both happen', holds: sum(/^[23]xx/) > 0 && sum(/^4xx/) > 0 },
    { measure: 'answered 5xx', value: broken.length === 0 ? String(sum(/^5xx/)) : `${sum(/^5xx/)} at ${broken.join(', ')}`, bound: '0', holds: sum(/^5xx/) === 0 },
    { measure: 'closed without an answer', value: String(sum(/^closed/)), bound: '0', holds: sum(/^closed/) === 0 },
    { measure: 'broken requests that got neither 4xx nor an end', value: framing.wrong.length === 0 ? `0 of ${framing.sent}` : framing.wrong.join('; '), bound: '0', holds: framing.wrong.length === 0 },
    { measure: 'refused inputs, sent again: tables with other rows', value: changed.length === 0 ? `0 by ${refused}` : changed.map((table) => `${table} ${first.rows[table] ?? 0} → ${second.rows[table] ?? 0}`).join(', '), bound: '0', holds: changed.length === 0 },
    { measure: 'processes that ended, or not as told', value: String(deaths.length + [...first.exits, ...second.exits].filter((exit) => exit !== 0).length), bound: '0', holds: deaths.length === 0 && [...first.exits, ...second.exits].every((exit) => exit === 0) },
    { measure: 'errors of the program in its log', value: String(escaped.length), bound: '0', holds: escaped.length === 0 },
    { measure: 'what was accepted came to an end', value: isSettled ? 'yes' : 'no', bound: 'yes', holds: isSettled },
    { measure: 'memory after, more than before', value: `${Math.round(grown / 2 ** 20)} MB`, bound: '< 512 MB', holds: grown < 512 * 2 ** 20 },
  ]
}

async function someAtOnce(doors: readonly Door[], each: (door: Door, at: number) => Promise<void>): Promise<void> {
  const left = doors.entries()
  await Promise.all(
    Array.from({ length: doorsAtOnce }, async () => {
      for (const [at, door] of left) await each(door, at)
    }),
  )
}

async function sendAll(nura: EveryDoor, door: Door, seed: number, times: number): Promise<Account> {
  const account: Account = { door: door.name, classes: {}, refused: new Set(), broken: null }
  const worst: number[] = []
  await throughDoor(nura, door, seed, times, () => true, (at, { status }, { odd }) => {
    const isRefused = status >= 400 && status < 500
    const isLost = status === 0 && !endsAtOnce.has(odd)
    const known = status === 0 ? (isLost ? 'closed' : '4xx') : isFault(door, status) ? '5xx' : isRefused ? '4xx' : status >= 500 ? String(status) : `${Math.floor(status / 100)}xx`
    account.classes[known] = (account.classes[known] ?? 0) + 1
    if (isRefused) account.refused.add(at)
    if (isFault(door, status) || isLost) worst.push(at)
  })
  if (worst.length > 0) account.broken = await shrink(nura, door, seed, worst[0]!)
  return account
}

async function sendAgain(nura: EveryDoor, door: Door, seed: number, times: number, refused: ReadonlySet<number>): Promise<void> {
  await throughDoor(nura, door, seed, times, (at) => refused.has(at), () => undefined)
}

async function throughDoor(nura: EveryDoor, door: Door, seed: number, times: number, isWanted: (at: number) => boolean, told: (at: number, answered: Answered, draft: Draft) => void): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  for (let from = 0; from < times; from += drawnAtOnce) {
    const drafts = fc.sample(door.drafts, { seed: seed + from, numRuns: Math.min(drawnAtOnce, times - from) })
    const left = drafts.entries()
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const [at, draft] of left) if (isWanted(from + at)) told(from + at, await send(nura.url(door.of), await door.sign(draft), agent), draft)
      }),
    )
  }
  agent.destroy()
}

/** Node refuses these itself and closes at once: what is on its way then may break the connection before the answer is read. */
const endsAtOnce: ReadonlySet<string> = new Set(['long header', 'many headers'])

/** What a door says in this way is no fault: of Teams an unknown invoke is to be answered 501, and who is not ready says so. */
const meant: Readonly<Record<string, number>> = { 'Teams activities': 501, 'GET /readyz': 503 }
const isFault = ({ name }: Door, status: number) => status >= 500 && status !== meant[name]

/** The least input that does the same as the one at a place. */
async function shrink(nura: EveryDoor, door: Door, seed: number, at: number): Promise<string> {
  const from = at - (at % drawnAtOnce)
  const property = fc.asyncProperty(door.drafts, async (draft) => {
    const { status } = await send(nura.url(door.of), await door.sign(draft))
    return (status !== 0 || endsAtOnce.has(draft.odd)) && !isFault(door, status)
  })
  const found = await fc.check(property, { seed: seed + from, numRuns: at - from + 1, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false })
  return found.counterexample === null ? `input ${at}, not a second time` : JSON.stringify(found.counterexample[0]).slice(0, 1_500)
}

/** Resident memory of what listens, bytes. */
async function readMemory(nura: EveryDoor): Promise<number> {
  const each = nura.processes.map(async ({ url }) => Number(/^process_resident_memory_bytes (\S+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]))
  return (await Promise.all(each)).reduce((sum, bytes) => sum + bytes, 0)
}

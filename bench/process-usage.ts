import { readdir, readFile } from 'node:fs/promises'

/** Linux counts CPU in hundredths of a second on every machine that Node runs on. */
const tickMs = 10
const inKb = (text: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN)

/** CPU milliseconds, user and system, of a process and of those children of it that have ended. */
export async function readCpuMs(pid: number): Promise<number> {
  const [, , ...fields] = await readStat(pid)
  // utime, stime, cutime and cstime are fields 14 to 17 of proc(5).
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * tickMs
}

/**
 * Bytes: `resident` with what it shares with others, `proportional` with its part of that, `own` without. NaN where this
 * user may not look.
 */
export async function readMemory(pid: number): Promise<{ resident: number; proportional: number; own: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  const [resident, proportional, clean, dirty] = ['Rss', 'Pss', 'Private_Clean', 'Private_Dirty'].map((name) => inKb(text, name) * 1024) as [number, number, number, number]
  return { resident, proportional, own: clean + dirty }
}

/** A process and those that it has started and that still run, such as a PostgreSQL and its backends. */
export async function readFamily(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const parents = await Promise.all(pids.map((pid) => readParent(pid).catch(() => null)))
  return [parent, ...pids.filter((_, at) => parents[at] === parent)]
}

export async function readParent(pid: number): Promise<number> {
  return Number((await readStat(pid))[3])
}

/** What processes sum up to; one that ends meanwhile, or that this user may not look into, counts nothing. */
export async function sumOver(pids: number[], read: (pid: number) => Promise<number>): Promise<number> {
  const values = await Promise.all(pids.map((pid) => read(pid).catch(() => 0)))
  return values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)
}

/** Fields of proc(5), the name of the program as one. */
async function readStat(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const end = text.lastIndexOf(')')
  return [String(pid), text.slice(text.indexOf('(') + 1, end), ...text.slice(end + 2).trim().split(' ')]
}

import { totalmem } from 'node:os'
import type { Client } from 'pg'
import { readCpuMs, readFamily, readMemory, readParent, sumOver } from '../process-usage.ts'

/** A quarter of the machine for pages, as PostgreSQL's manual has it for a server of one's own. */
export const largeServer = { shared_buffers: `${Math.floor(totalmem() / 4 / 1024 / 1024)}MB` }

/** CPU milliseconds of this process and of all of PostgreSQL's. */
export type Cpu = { node: number; server: number }

/** What the PostgreSQL that a client speaks to uses, all its processes together. */
export async function watchServer(raw: Client) {
  const { rows } = await raw.query<{ pid: number }>('select pg_backend_pid() as pid')
  const postmaster = await readParent(rows[0]!.pid)
  return {
    async cpu(): Promise<Cpu> {
      const { user, system } = process.cpuUsage()
      return { node: (user + system) / 1000, server: await sumOver(await readFamily(postmaster), readCpuMs) }
    },
    /** Bytes: shared ones once, and those that each process has for itself. */
    async memory(): Promise<{ proportional: number; own: number; processes: number }> {
      const pids = await readFamily(postmaster)
      const read = (which: 'proportional' | 'own') => sumOver(pids, async (pid) => (await readMemory(pid))[which])
      return { proportional: await read('proportional'), own: await read('own'), processes: pids.length }
    },
  }
}

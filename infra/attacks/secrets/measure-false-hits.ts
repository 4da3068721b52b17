import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { redact } from '#server/indexing/redact.ts'

export type FalseHits = { files: number; bytes: number; hits: { path: string; kinds: string[] }[]; seconds: number }

/** Tests and their recordings hold samples of secrets on purpose. */
const samples = /\.test\.ts$|(^|\/)(node_modules|testing|golden|fixtures|testdata)\//
const largest = 1_000_000

/** Redacts every text file of the folders, which are taken to hold no secret, and takes the time of this thread over it. */
export async function measureFalseHits(folders: readonly string[]): Promise<FalseHits> {
  const measured: FalseHits = { files: 0, bytes: 0, hits: [], seconds: 0 }
  for (const folder of folders) {
    for (const path of globSync('**/*.*', { cwd: folder, exclude: (name) => name === 'node_modules' || name === '.git' })) {
      if (samples.test(path)) continue
      const text = readText(join(folder, path))
      if (text === null) continue
      const before = process.cpuUsage()
      const { found } = await redact(text)
      const { user, system } = process.cpuUsage(before)
      measured.seconds += (user + system) / 1e6
      measured.files++
      measured.bytes += Buffer.byteLength(text)
      if (found.length > 0) measured.hits.push({ path: join(folder, path), kinds: found.map(({ kind }) => kind) })
    }
  }
  return measured
}

function readText(path: string): string | null {
  try {
    const bytes = readFileSync(path)
    return bytes.length > largest || bytes.includes(0) ? null : bytes.toString('utf8')
  } catch {
    // A folder with a dot in its name.
    return null
  }
}

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

export async function holdDataDir(dataDir: string): Promise<{ store: string; release(): Promise<void> }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  return { store: join(dataDir, 'store'), release: async () => {} }
}

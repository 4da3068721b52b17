import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installApart } from '#infra/testing/install-apart.ts'

/** What is compared, exactly; `pgvector` is the version that LlamaIndex asks for. */
const packages = {
  '@langchain/community': '1.1.29',
  '@langchain/core': '1.4.0',
  '@llamaindex/postgres': '0.0.66',
  '@llamaindex/core': '0.6.23',
  '@llamaindex/env': '0.1.31',
  '@mastra/pg': '1.27.1',
  '@mastra/core': '1.71.0',
  pg: '8.23.1',
  pgvector: '0.2.0',
}

/** Installs the peers into a folder of their own: they are compared with, never depended on. */
export const installPeers = (): Promise<string> => installApart('peers', packages)

/** A module of the folder, by its path there; the caller says what it uses of it. */
export async function loadPeer<Module>(path: string): Promise<Module> {
  return (await import(pathToFileURL(join(await installPeers(), 'node_modules', path)).href)) as Module
}

/** The version that was installed. */
export const versionOf = (name: keyof typeof packages): string => packages[name]

import { NuraError } from '#db/nura-error.ts'
import manifest from '#package.json' with { type: 'json' }
import { answer } from './answer.ts'
import type { ServerParts } from './app.ts'
import type { ServerConfig } from './config.ts'
import { createModels } from './models/index.ts'
import { lexicalEmbedder } from './models/lexical.ts'
import { search } from './retrieval/search.ts'
import { sourceKinds } from './sources/index.ts'

/** What the process that serves brings along; the rest follows from its configuration. */
export type ServerRig = Pick<ServerParts, 'db' | 'enqueue' | 'log' | 'metrics' | 'readiness' | 'mounts'> & { config: ServerConfig }

/** Puts the models of the configuration behind `answer` and `search`. */
export function createServerParts(rig: ServerRig): ServerParts {
  const { dev, pm, architect } = rig.config.models
  const models = { dev: createModels(dev), pm: createModels(pm), architect: createModels(architect) }
  const parts = { db: rig.db, embedder: lexicalEmbedder, models, log: rig.log, metrics: rig.metrics }
  return {
    ...rig,
    version: manifest.version,
    answer: (tenant, question, signal, { log }) => answer({ ...parts, log }, tenant, question, signal),
    search: (tenant, request) => search(parts, tenant, request),
    openSource,
  }
}

/** @throws NuraError `unknown-source` */
export const openSource: ServerParts['openSource'] = ({ source, location }) => {
  const kind = sourceKinds.find((each) => each.kind === source)
  if (!kind) throw new NuraError('unknown-source', `This version cannot read a source of kind "${source}".`)
  return kind.create(location)
}

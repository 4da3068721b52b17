import type { EntitySchema } from '@mikro-orm/postgresql'
import { SlackInstallationRow } from './shared/slack-installation.ts'
import { Answer } from './tenant/answer.ts'
import { StoredChunk } from './tenant/stored-chunk.ts'
import { Repository } from './tenant/repository.ts'
import { Thread } from './tenant/thread.ts'

/** Every mapped table: the control plane's in `nura`, a tenant's under `schema: '*'`. */
export const entities: EntitySchema[] = [SlackInstallationRow, Answer, StoredChunk, Repository, Thread]

import type { EntitySchema } from '@mikro-orm/postgresql'
import { Repository } from './tenant/repository.ts'

/** Every mapped table: the control plane's in `nura`, a tenant's under `schema: '*'`. */
export const entities: EntitySchema[] = [Repository]

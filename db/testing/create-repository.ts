import { randomUUID } from 'node:crypto'
import type { TenantDb } from '../tenant-db.ts'
import { addRepository, type NewRepository } from '../tenant/repositories.ts'
import type { WriteContext } from '../tenant/write-files.ts'

export const testSpace = 'test:vectors'

/** A repository of its own, and the context that writes to it. */
export async function createTestRepository(tenant: TenantDb, overrides: Partial<NewRepository> = {}): Promise<WriteContext> {
  const name = `acme/${randomUUID().slice(0, 8)}`
  const { id } = await addRepository(tenant, { name, source: 'git', location: `/srv/${name}`, ...overrides })
  return { repositoryId: id, sha: 'a'.repeat(40), space: testSpace, chunkerVersion: 1 }
}

import { createHash } from 'node:crypto'

/** What is kept beside the database. It names the metric's label and is the only part of a key that can be read. */
export type CachePurpose = 'query-embedding' | 'thread' | 'answer' | 'limit-asker' | 'limit-channel' | 'limit-tenant'

export type KeyPart = string | null | readonly KeyPart[]

/** Made by `toCacheKey` alone. */
export type CacheKey = {
  readonly purpose: CachePurpose
  /** Start of `text` that all keys of the tenant share, and no other tenant's. */
  readonly tenant: string
  /** The whole key, without the deployment's prefix. */
  readonly text: string
}

/**
 * The one place where keys are built: different purposes, tenants or lists of parts never share one, and nothing of the
 * parts can be read in it. What a value depends on is a part.
 */
export function toCacheKey(purpose: CachePurpose, tenantId: string, parts: readonly KeyPart[]): CacheKey {
  const tenant = toTenantStart(tenantId)
  return { purpose, tenant, text: `${tenant}${purpose}:${hash([purpose, tenantId, parts])}` }
}

/** What every key of a tenant begins with. Letters, digits, `_`, `-` and a colon: it is a pattern for SCAN as it stands. */
export function toTenantStart(tenantId: string): string {
  return `${hash(['tenant', tenantId]).slice(0, 22)}:`
}

/** JSON escapes quotes, commas and lone surrogates, so that it is another text for every other list. */
function hash(parts: readonly KeyPart[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

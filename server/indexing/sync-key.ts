/** Whoever holds this key (see `exclusively`) is indexing the repository, or emptying it. */
export function toSyncKey(tenantId: string, repositoryId: string): string {
  return `sync ${tenantId} ${repositoryId}`
}

/** Whoever holds this key (see `exclusively`) is at the vectors of the tenant's next embedding space. */
export function toSpaceKey(tenantId: string): string {
  return `space ${tenantId}`
}

/**
 * The line of a deletion's receipt about the cache.
 * @param dropped what `Cache.dropTenant` said; undefined where there is no cache
 */
export function toCacheReceipt(dropped: number | null | undefined): { store: string; table: string; rows: number }[] {
  if (dropped === undefined) return []
  return [{ store: 'cache', table: dropped === null ? 'away: what it holds expires within a day' : 'entries', rows: dropped ?? 0 }]
}

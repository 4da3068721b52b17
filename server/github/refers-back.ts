/** What stands in the path of an address that GitHub notes at the other end: an issue, a pull request, a discussion. */
const noted = /^\/+[^/]+\/+[^/]+\/+(?:issues|pulls?|discussions)\/+\d/i

/**
 * Whether a link would show up where it leads, or names no web page in full: an address without a host would be one of
 * GitHub's own. Marks that are not seen do not hide anything.
 */
export function refersBack(address: string): boolean {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol)) return true
  return noted.test(decode(url.pathname).replace(/\p{Cf}/gu, ''))
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // Not well encoded: GitHub would not follow it either, but what it may mean is read as it stands.
    return path
  }
}

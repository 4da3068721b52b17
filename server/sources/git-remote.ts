/** Hosts whose pages we cannot address by owner and name. */
const otherPages = /(^|\.)(dev\.azure\.com|visualstudio\.com|googlesource\.com|sr\.ht)$/

/**
 * Name and web address of a GitHub-like remote: `https://host/owner/name`, `ssh://git@host/owner/name`,
 * `git@host:owner/name`, with or without `.git`; on a GitLab, groups within groups too. Credentials, ports of ssh and query strings never survive.
 *
 * @returns null for anything else, such as a path on this machine.
 */
export function fromGitRemote(remote: string): { name: string; url: string } | null {
  const scp = /^(?:[\w.-]+@)?([\w.-]+\.[\w.-]+):(?!\/\/)(.+)$/.exec(remote)
  const url = scp ? `ssh://${scp[1]}/${scp[2]}` : remote
  if (!/^(https?|ssh|git):\/\//.test(url) || !URL.canParse(url)) return null
  const { protocol, host, hostname, pathname } = new URL(url)
  const name = pathname.replace(/^\/+|\/+$/g, '').replace(/\.git$/, '')
  const groups = hostname.includes('gitlab') ? 10 : 1
  if (!new RegExp(`^[\\w.-]+(?:/[\\w.-]+){1,${groups}}$`).test(name) || otherPages.test(hostname)) return null
  const web = protocol === 'http:' ? `http://${host}` : `https://${protocol === 'https:' ? host : hostname}`
  return { name, url: `${web}/${name}` }
}

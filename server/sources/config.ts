import { z } from 'zod'

/**
 * The environment a git child process gets: ours without any `GIT_*` key (a hook that starts Nura sets `GIT_DIR`), never
 * asking, never locking, never fetching.
 */
export function toGitEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !key.startsWith('GIT_'))
  return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', LC_ALL: 'C' }
}

/** Hosts of sites that lie within one's own network, which Nura asks for nothing unless an operator names them. */
export const sourcesEnv = {
  NURA_SOURCE_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((host) => host.trim().toLowerCase()).filter((host) => host !== ''))
    .refine((hosts) => hosts.every((host) => /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/.test(host)), 'must be host names, each with its port where it has one, such as "wiki.internal:8443, jira.internal"'),
}

/**
 * The environment a git child process gets: ours without any `GIT_*` key (a hook that starts Nura sets `GIT_DIR`), never
 * asking, never locking, never fetching.
 */
export function toGitEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([key]) => !key.startsWith('GIT_'))
  return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', GIT_NO_LAZY_FETCH: '1', LC_ALL: 'C' }
}

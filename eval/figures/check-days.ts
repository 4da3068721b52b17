import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { NuraError } from '#db/nura-error.ts'
import { toGitEnvironment } from '#server/sources/config.ts'
import { toLocalDay } from './local-day.ts'

const run = promisify(execFile)

/**
 * Holds the days that a history is counted in against those that git prints, which knows time zones from another source.
 *
 * @throws NuraError `days-differ` where a commit falls on another day by git.
 */
export async function checkDays(dir: string, zones: string[]): Promise<void> {
  for (const zone of zones) {
    const log = ['log', '--date=format-local:%Y-%m-%d', '--format=%at %ad%n%ct %cd', 'HEAD']
    const { stdout } = await run('git', ['-C', dir, ...log], { maxBuffer: 1 << 30, env: { ...toGitEnvironment(), TZ: zone } })
    for (const line of stdout.trim().split('\n')) {
      const [at, day] = line.split(' ') as [string, string]
      const counted = toLocalDay(Number(at), zone)
      if (day !== counted) throw new NuraError('days-differ', `In ${zone} git puts ${at} on ${day}, and this counts it on ${counted}. Without its zone files (Debian: tzdata) git takes every zone for UTC.`)
    }
  }
}

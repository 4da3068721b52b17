import { definePlatform } from '../platform.ts'
import { teamsEnv, toTeamsConfig } from './to-teams-config.ts'

export const teams = definePlatform({
  name: 'teams',
  env: teamsEnv,
  check: (given) => void toTeamsConfig(given),
  async open(given, parts) {
    const config = toTeamsConfig(given)
    // The Bot Framework is loaded only where it is configured.
    return config === null ? null : (await import('./open-teams.ts')).openTeams(config, parts)
  },
})

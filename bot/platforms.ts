import { slack } from './slack/index.ts'
import { teams } from './teams/index.ts'

/** Where people talk to Nura. One more platform is one file and one line here. */
export const platforms = [slack, teams] as const

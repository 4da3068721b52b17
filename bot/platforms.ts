import { slack } from './slack/index.ts'

/** Where people talk to Nura. One more platform is one file and one line here. */
export const platforms = [slack] as const

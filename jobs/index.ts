import { answerTurn } from './answer-turn.ts'
import { forgetRepository } from './forget-repository.ts'
import { purgeExpired } from './purge-expired.ts'
import { sweepInbox } from './sweep-inbox.ts'
import { sweepRepositories } from './sweep-repositories.ts'
import { syncRepository } from './sync-repository.ts'

/** The jobs of the bot's process, where the platforms are. */
export const botJobs = [answerTurn] as const

/** The jobs of the jobs process. */
export const backgroundJobs = [syncRepository, forgetRepository, sweepInbox, sweepRepositories, purgeExpired] as const

/** THE list of jobs: `Enqueue` takes its names and payloads from here. */
export const jobs = [...botJobs, ...backgroundJobs] as const

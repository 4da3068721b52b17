import { answerMention } from './answer-mention.ts'
import { answerTurn } from './answer-turn.ts'
import { changeSpace } from './change-space.ts'
import { finishOffboarding } from './finish-offboarding.ts'
import { forgetRepository } from './forget-repository.ts'
import { githubDelivery } from './github-delivery.ts'
import { purgeExpired } from './purge-expired.ts'
import { readDocument } from './read-document.ts'
import { summarisePullRequest } from './summarise-pull-request.ts'
import { sweepAnswers } from './sweep-answers.ts'
import { sweepDocuments } from './sweep-documents.ts'
import { sweepGithub } from './sweep-github.ts'
import { sweepInbox } from './sweep-inbox.ts'
import { sweepRepositories } from './sweep-repositories.ts'
import { sweepSources } from './sweep-sources.ts'
import { sweepSpaces } from './sweep-spaces.ts'
import { syncActivity } from './sync-activity.ts'
import { syncInstallation } from './sync-installation.ts'
import { syncRepository } from './sync-repository.ts'
import { tellChanged } from './tell-changed.ts'

/** The jobs of the bot's process, where the platforms are. */
export const botJobs = [answerTurn] as const

/** The jobs of the jobs process. */
export const backgroundJobs = [
  syncRepository, forgetRepository, sweepRepositories, changeSpace, sweepSpaces,
  readDocument, sweepDocuments, sweepSources,
  githubDelivery, answerMention, summarisePullRequest, syncInstallation, syncActivity, sweepGithub,
  tellChanged, sweepAnswers, sweepInbox, purgeExpired, finishOffboarding,
] as const

/** THE list of jobs: `Enqueue` takes its names and payloads from here. */
export const jobs = [...botJobs, ...backgroundJobs] as const

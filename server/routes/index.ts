import { deleteAnswerRoute, giveFeedbackRoute, readAnswerRoute } from './answers.ts'
import { askRoute } from './ask.ts'
import { createDocsRoutes } from './docs.ts'
import { addDocumentRoute, listDocumentsRoute, readDocumentRoute, removeDocumentRoute } from './documents.ts'
import { githubWebhookRoute } from './github.ts'
import { beginConnectionRoute, unlinkPersonRoute } from './github-connections.ts'
import { callbackPageRoute, confirmPageRoute, setupPageRoute } from './github-pages.ts'
import { aliveRoute, readyRoute } from './health.ts'
import { metricsRoute } from './metrics.ts'
import { addRepositoryRoute, listRepositoriesRoute, readRepositoryRoute, removeRepositoryRoute } from './repositories.ts'
import type { AnyRoute } from './route.ts'
import { searchRoute } from './search.ts'
import { readSettingsRoute } from './settings.ts'
import { suggestionsRoute } from './suggestions.ts'
import { deleteTenantRoute } from './tenant.ts'
import { readThreadRoute, updateThreadRoute } from './threads.ts'
import { usageRoute } from './usage.ts'

/** What every process serves to its operator. */
export const operatorRoutes: readonly AnyRoute[] = [aliveRoute, readyRoute, metricsRoute]

/** THE list of routes: what is served, validated and documented. */
export const routes: readonly AnyRoute[] = [
  askRoute,
  searchRoute,
  listRepositoriesRoute,
  readRepositoryRoute,
  addRepositoryRoute,
  removeRepositoryRoute,
  listDocumentsRoute,
  readDocumentRoute,
  addDocumentRoute,
  removeDocumentRoute,
  readThreadRoute,
  updateThreadRoute,
  readAnswerRoute,
  deleteAnswerRoute,
  giveFeedbackRoute,
  suggestionsRoute,
  readSettingsRoute,
  beginConnectionRoute,
  unlinkPersonRoute,
  setupPageRoute,
  callbackPageRoute,
  confirmPageRoute,
  usageRoute,
  deleteTenantRoute,
  githubWebhookRoute,
  ...operatorRoutes,
  ...createDocsRoutes(() => routes),
]

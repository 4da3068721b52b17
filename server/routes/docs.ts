import { z } from 'zod'
import { toDocsPage } from './docs-page.ts'
import { toOpenApi } from './openapi.ts'
import { defineRoute } from './route.ts'
import type { AnyRoute } from './route.ts'

/** The routes that describe all routes, themselves included; `list` is asked when they are called. */
export function createDocsRoutes(list: () => readonly AnyRoute[]): AnyRoute[] {
  const openApiRoute = defineRoute({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document',
    auth: 'none',
    answers: { status: 200, description: 'The document', json: z.record(z.string(), z.unknown()) },
    run: async (_, { version }) => ({ status: 200, json: toOpenApi(list(), version) }),
  })

  const docsRoute = defineRoute({
    method: 'GET',
    path: '/docs',
    summary: 'This API as a page to read',
    auth: 'operator',
    answers: { status: 200, description: 'A page that loads nothing else', also: { 'text/html': 'HTML' } },
    async run(_, { version }) {
      return {
        status: 200,
        text: toDocsPage(toOpenApi(list(), version)),
        type: 'text/html; charset=utf-8',
        headers: { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'" },
      }
    },
  })

  return [openApiRoute, docsRoute]
}

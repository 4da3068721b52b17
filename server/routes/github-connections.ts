import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { unlinkGithubPerson } from '#db/shared/github-people.ts'
import { defineRoute } from './route.ts'

export const beginConnectionRoute = defineRoute({
  method: 'POST',
  path: '/v1/github/connections',
  summary: "Begin to connect a GitHub installation to the tenant, or a GitHub account to the token's subject",
  auth: 'tenant',
  body: z.strictObject({
    kind: z.enum(['installation', 'person'], 'must be "installation" or "person"'),
    name: z.string().min(1).max(200).optional().describe("What people call the token's subject; shown to whoever confirms"),
  }),
  answers: {
    status: 201,
    description: 'An address to open in a browser, once and before it expires',
    json: z.object({ url: z.string(), expiresAt: z.string() }),
  },
  async run({ tenant, asker, body, signal }, { connections }) {
    if (!connections) throw new NuraError('github-not-configured', 'GitHub is not set up in this Nura: an operator sets GITHUB_APP_ID and what belongs to it, see docs/github.md.')
    const { url, expiresAt } = await connections.begin({ kind: body.kind, tenantId: tenant.id, reader: asker, name: body.name ?? null }, signal)
    return { status: 201, json: { url, expiresAt: expiresAt.toISOString() } }
  },
})

export const unlinkPersonRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/github/connections/person',
  summary: "Forget which GitHub account the token's subject has; of effect with the next question",
  auth: 'tenant',
  answers: { status: 200, description: 'Whether there was one', json: z.object({ unlinked: z.boolean() }) },
  run: async ({ tenant, asker }, { db }) => ({ status: 200, json: { unlinked: await unlinkGithubPerson(db, tenant.id, asker) } }),
})

import { z } from 'zod'
import { audienceFields, hasItsId, idFault, toAudience } from './audience-query.ts'
import { defineRoute } from './route.ts'

const SettingBody = z.object({
  name: z.string(),
  value: z.string(),
  source: z.string().describe('Where it comes from: default, environment: KEY, line-up: NURA_MODELS=OPTION, tenant, thread, .nura.yml'),
  explanation: z.string(),
})

export const readSettingsRoute = defineRoute({
  method: 'GET',
  path: '/v1/config',
  summary: 'What is in force for the readers of an answer, and where each setting comes from; no secrets, no addresses',
  auth: 'tenant',
  query: z.strictObject({ ...audienceFields, thread: z.string().min(1).max(300).optional().describe('The key that questions of the thread carry as `thread`') }).refine(hasItsId, idFault),
  answers: { status: 200, description: 'Only repositories that the audience may be answered from are named', json: z.object({ settings: z.array(SettingBody) }) },
  async run({ tenant, query }, { tellSettings }) {
    return { status: 200, json: { settings: await tellSettings(tenant, toAudience(query), query.thread ?? null) } }
  },
})

import { z } from 'zod'
import { offboardTenant } from '#db/shared/offboard-tenant.ts'
import { toCacheReceipt } from '../cache/to-cache-receipt.ts'
import { defineRoute } from './route.ts'

export const deleteTenantRoute = defineRoute({
  method: 'DELETE',
  path: '/v1/tenant',
  summary: 'Delete the tenant of the token and everything kept of it, at once and for good',
  auth: 'tenant',
  answers: {
    status: 200,
    description: 'The receipt',
    json: z.object({ receipt: z.array(z.object({ store: z.string(), table: z.string(), rows: z.int() })) }),
  },
  async run({ tenant, log }, { db, dropCached }) {
    const done = await offboardTenant(db, tenant.id, { dropElsewhere: async (id) => toCacheReceipt(await dropCached?.(id)) })
    const receipt = done?.steps.flatMap(({ dropped }) => dropped) ?? []
    log.info({ tenantId: tenant.id, tables: receipt.length }, 'tenant deleted')
    return { status: 200, json: { receipt } }
  },
})

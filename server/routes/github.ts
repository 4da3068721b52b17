import { z } from 'zod'
import { notFound } from '../errors.ts'
import { deliveryLimit } from '../github/webhook.ts'
import { defineRoute } from './route.ts'

export const githubWebhookRoute = defineRoute({
  method: 'POST',
  path: '/github/webhooks',
  summary: 'Deliveries of the GitHub App, signed with its webhook secret',
  auth: 'none',
  answers: {
    status: 202,
    description: 'Stored, or nothing that concerns Nura. 401 without a good x-hub-signature-256, 404 where no App is configured, 413 above 25 MB, 503 when it could not be stored',
    json: z.object({ stored: z.int().describe('Events of the delivery that are new and will be carried out') }),
  },
  async run({ headers, readBytes }, parts) {
    if (!parts.takeDelivery) throw notFound()
    return { status: 202, json: await parts.takeDelivery({ headers, bytes: await readBytes(deliveryLimit) }) }
  },
})

import { defineRoute } from './route.ts'

export const metricsRoute = defineRoute({
  method: 'GET',
  path: '/metrics',
  summary: 'Metrics in Prometheus’ text format',
  auth: 'operator',
  answers: { status: 200, description: 'Metrics', also: { 'text/plain': 'Prometheus text format' } },
  async run(_, { metrics }) {
    return { status: 200, text: await metrics.registry.metrics(), type: metrics.registry.contentType }
  },
})

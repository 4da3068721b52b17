import { z } from 'zod'
import type { AnyRoute } from './route.ts'

type Json = Record<string, unknown>

/** The shape of every error body, as `middleware/render-errors.ts` writes it. */
export const ErrorBody = z.object({
  error: z.object({
    code: z.string().describe('Stable, kebab-case'),
    message: z.string().describe('What happened and what to do, for a person'),
    retryable: z.boolean().describe('True when the same request may succeed later'),
    ref: z.string().describe('Finds the log lines'),
    field: z.string().optional().describe('The input at fault'),
  }),
})

/** The OpenAPI 3.1 document of a list of routes: the schemas in it are the ones that validate. */
export function toOpenApi(routes: readonly AnyRoute[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: toOperation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nura', version, description: 'Answers engineering questions from your own repositories, every claim cited to file, lines and commit.' },
    paths,
    components: {
      securitySchemes: {
        serviceToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'HS256, aud "nura", tenant, sub, exp at most 10 minutes away. Not needed on loopback without NURA_SERVICE_SECRET.' },
      },
      schemas: { Error: toSchema(ErrorBody, 'output') },
    },
  }
}

function toOperation(route: AnyRoute): Json {
  const parameters = [...toParameters(route.params, 'path'), ...toParameters(route.query, 'query')]
  return {
    operationId: toOperationId(route),
    summary: route.summary,
    ...(route.auth === 'none' ? {} : { security: [{ serviceToken: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: toSchema(route.body, 'input') } } } }),
    ...(route.upload === undefined ? {} : { requestBody: toUpload(route.upload) }),
    responses: { [route.answers.status]: toResponse(route), ...toErrors(route) },
  }
}

/** A form with the file in it, or the file alone. */
function toUpload(fields: z.ZodType): Json {
  const { properties, ...schema } = toSchema(fields, 'input') as { properties?: Json }
  const file = { type: 'string', format: 'binary' }
  return { required: true, content: { 'multipart/form-data': { schema: { ...schema, properties: { file, ...properties }, required: ['file'] } }, 'application/octet-stream': { schema: file } } }
}

function toResponse({ answers }: AnyRoute): Json {
  const content: Json = answers.json === undefined ? {} : { 'application/json': { schema: toSchema(answers.json, 'output') } }
  for (const [type, description] of Object.entries(answers.also ?? {})) content[type] = { schema: { type: 'string', description } }
  return { description: answers.description, ...(Object.keys(content).length === 0 ? {} : { content }) }
}

function toErrors(route: AnyRoute): Json {
  const statuses = [
    ...(route.body !== undefined || route.query !== undefined ? [[400, 'The input is not usable; the field is named']] : []),
    ...(route.auth === 'none' ? [] : [[401, 'No valid token'], [403, 'Not from this machine, in local mode']]),
    ...(route.params === undefined && route.auth !== 'tenant' ? [] : [[404, 'Nothing there, or not yours']]),
    ...(route.body === undefined ? [] : [[413, 'The body is too large'], [415, 'The body is not JSON in UTF-8']]),
    ...(route.upload === undefined ? [] : [[409, 'It does not fit what is there'], [413, 'The file is too large'], [415, 'Nura reads no files of this type']]),
    ...(route.path.startsWith('/v1/repositories') && route.body !== undefined ? [[424, 'The site of the source does not answer, or asks to wait; try again']] : []),
    [503, 'A store is away; try again'],
  ]
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  return Object.fromEntries(statuses.map(([status, description]) => [status, { description, content }]))
}

function toParameters(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = toSchema(schema, 'input') as { properties?: Record<string, Json>; required?: string[] }
  return Object.entries(properties).map(([name, of]) => ({ name, in: place, required: place === 'path' || required.includes(name), schema: of }))
}

/** `GET /v1/answers/:id` → `getV1AnswersId` */
function toOperationId({ method, path }: AnyRoute): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean)
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function toSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json
  return rest
}

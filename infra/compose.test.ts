import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { lineUpModels, toLineUp } from '#server/models/line-ups.ts'
import type { LineUpModel } from '#server/models/line-ups.ts'

type Service = {
  image: string
  restart: string
  command?: string[]
  environment: Record<string, string | null>
  ports: string[]
  volumes: string[]
  networks: string[]
  healthcheck: { test: string[]; start_period: string }
  deploy: { resources: { reservations: { devices: { driver: string; device_ids: string[]; capabilities: string[] }[] } } }
}
type Compose = { services: Record<string, Service>; networks: Record<string, unknown>; volumes: Record<string, unknown> }

const root = join(import.meta.dirname, '..')
const readText = (name: string) => readFileSync(join(root, name), 'utf8')
const readCompose = (name: string) => parse(readText(name), { merge: true }) as Compose
/** A text with the values that stand where the environment gives none. */
const withDefaults = (text: string) => text.replace(/\$\{\w+:-([^}]*)\}/g, '$1')

const models = readCompose('docker-compose-models.yml')
const nura = readCompose('docker-compose.yml')
const services = Object.entries(models.services)
const localModels = (Object.values(lineUpModels) as LineUpModel[]).filter(({ url }) => url)

describe('docker-compose-models.yml', () => {
  it('serves a code model, a chat model, embeddings and a reranker', () => {
    expect(Object.keys(models.services)).toEqual(['code-model', 'chat-model', 'embedding', 'reranker'])
  })

  it.each(services)('pins, watches, restarts and shuts in %s, on a GPU', (_, service) => {
    expect(withDefaults(service.image)).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+$/)
    expect(service.restart).toBe('unless-stopped')
    expect(service.healthcheck.test.join(' ')).toContain('/health')
    expect(service.healthcheck.start_period).toMatch(/^\d+m$/)
    expect(service.deploy.resources.reservations.devices).toEqual([{ driver: 'nvidia', device_ids: [expect.stringMatching(/^\$\{NURA_\w+_GPU:-\d\}$/)], capabilities: ['gpu'] }])
    for (const port of service.ports) expect(withDefaults(port)).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
    for (const volume of service.volumes) expect(Object.keys(models.volumes)).toContain(volume.split(':')[0])
    expect(service.networks).toEqual(['outside'])
    expect(service.environment['HF_TOKEN']).toBeNull()
  })

  it('is checked on the port that it publishes', () => {
    for (const [, { ports, healthcheck }] of services) expect(healthcheck.test.join(' ')).toContain(`http://127.0.0.1:${withDefaults(ports[0]!).split(':')[2]}/health`)
  })

  it.each(localModels.map((model) => [model.title, model] as const))('calls %s what Nura calls it', (_, { key, id }) => {
    const name = `\${${key}:-${id}}`
    const named = services.filter(([, { command, environment }]) => command?.includes(`--served-model-name=${name}`) || environment['MODEL_ID'] === name)
    expect(named).toHaveLength(1)
  })

  it.each(['docker-compose-models.yml', 'docs/configuration.md', 'README.md'])('is where %s says that it is', (file) => {
    const published = services.flatMap(([, { ports }]) => ports.map((port) => `127.0.0.1:${withDefaults(port).split(':')[1]}`))
    const inside = services.flatMap(([name, { ports }]) => ports.map((port) => `${name}:${withDefaults(port).split(':')[2]}`))
    const told = [...readText(file).matchAll(/NURA_(?:CODE_MODEL|CHAT_MODEL|EMBEDDING|RERANKER)_URL=(\S+)/g)].map(([, url]) => new URL(url!))
    expect(told.length).toBeGreaterThanOrEqual(4)
    // A port that stands for the scheme's own is not in `host`.
    for (const { hostname, port } of told) expect([...published, ...inside]).toContain(`${hostname}:${port || '80'}`)
  })

  it('gives a whole line-up by its addresses alone', () => {
    const env = Object.fromEntries(localModels.map(({ url }, at) => [url!.key, `http://127.0.0.1:${8001 + at}`]))
    const { dev, pm, architect, embedding, reranker } = toLineUp('production', env)
    expect([dev, pm, architect, embedding, reranker]).not.toContain(null)
  })
})

describe('docker-compose.yml', () => {
  const keys = new Set((Object.values(lineUpModels) as LineUpModel[]).flatMap(({ key, url, needs }) => [key, ...(url ? [url.key] : []), ...needs.map(([first]) => first!)]))

  it.each(['server', 'jobs'])('hands every key of the line-ups to %s', (name) => {
    const given = Object.keys(nura.services[name]!.environment)
    expect([...keys, 'NURA_MODELS', 'DEV_MODELS', 'PM_MODELS', 'ARCHITECT_MODELS', 'EMBEDDING_MODELS', 'RERANKER_MODELS', 'NURA_DAY_TOKENS'].filter((key) => !given.includes(key))).toEqual([])
  })

  it('gives an empty value to no key of the AWS SDK, which would take it', () => {
    const { environment } = nura.services['server']!
    expect(Object.keys(environment).filter((key) => key.startsWith('AWS_') && environment[key] !== null)).toEqual([])
  })

  it('can be one deployment with the models', () => {
    expect(Object.keys(nura.networks)).toContain('outside')
    expect(nura.services['server']!.networks).toContain('outside')
    expect(Object.keys(nura.services).filter((name) => name in models.services)).toEqual([])
  })
})

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import { strFromU8, unzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { packApp, readArguments } from './pack-app.ts'

const app = { appId: '1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed', host: 'nura.acme.example' }

test('the package is what Teams takes: a valid manifest with this bot and host, and both icons in their sizes', async () => {
  const files = unzipSync(await packApp(app))
  expect(Object.keys(files)).toEqual(['manifest.json', 'color.png', 'outline.png'])
  const manifest = JSON.parse(strFromU8(files['manifest.json']!)) as Record<string, unknown>
  const path = createRequire(import.meta.url).resolve(`@microsoft/app-manifest/build/json-schemas/teams/v${String(manifest.manifestVersion)}/MicrosoftTeams.schema.json`)
  const { $schema: _, ...schema } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema)
  expect(validate(manifest) ? [] : validate.errors).toEqual([])
  expect(manifest).toMatchObject({ id: app.appId, bots: [{ botId: app.appId, scopes: ['personal', 'team', 'groupChat'] }], validDomains: [app.host], webApplicationInfo: { id: app.appId } })
  expect(JSON.stringify(manifest)).not.toMatch(/00000000|example\.com/)
  expect([sizeOf(files['color.png']!), sizeOf(files['outline.png']!)]).toEqual([[192, 192], [32, 32]])
})

test('the same deployment gives the same bytes', async () => {
  expect(await packApp(app)).toEqual(await packApp(app))
})

test.each([
  [[], /--app-id must be[^;]*; --host must be/],
  [['--app-id', 'mine', '--host', app.host], /--app-id must be/],
  [['--app-id', app.appId, '--host', 'https://nura.acme.example/'], /--host must be a host name/],
  [['--app-id', app.appId, '--host', app.host, '--nonsense'], /--nonsense/],
])('%j is refused, and how it is used is told', (args, message) => {
  expect(() => readArguments(args)).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringMatching(message) }))
})

/** Width and height of a PNG, from its header. */
function sizeOf(png: Uint8Array): [number, number] {
  const view = new DataView(png.buffer, png.byteOffset)
  return [view.getUint32(16), view.getUint32(20)]
}

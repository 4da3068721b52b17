import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { zipSync } from 'fflate'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'

export const usage = `Usage: npm run teams-package -- --app-id ID --host HOST [--out FILE]

  --app-id ID    the Microsoft App id of the bot, as its registration shows it
  --host HOST    where people reach Nura, such as nura.acme.example
  --out FILE     nura-teams.zip unless given`

/** What a command line of `npm run teams-package` asks for. @throws NuraError `usage` that names every fault */
export function readArguments(args: string[]): { appId: string; host: string; out: string } {
  const wrong = (faults: string[]) => new NuraError('usage', `${faults.join('; ')}.\n${usage}`)
  let values
  try {
    ;({ values } = parseArgs({ args, options: { 'app-id': { type: 'string' }, host: { type: 'string' }, out: { type: 'string' } } }))
  } catch (error) {
    throw wrong([(error as Error).message.split('\n')[0]!.replace(/\.$/, '')])
  }
  const { 'app-id': appId = '', host = '', out = 'nura-teams.zip' } = values
  const faults = [
    !z.uuid().safeParse(appId).success && '--app-id must be the id of the bot, such as 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed',
    !/^(?=.{1,253}$)(?:[a-z\d](?:[a-z\d-]*[a-z\d])?\.)+[a-z]{2,}$/i.test(host) && '--host must be a host name without https:// and path, such as nura.acme.example',
  ].filter((fault) => typeof fault === 'string')
  if (faults.length > 0) throw wrong(faults)
  return { appId, host, out }
}

const placeholder = { appId: '00000000-0000-0000-0000-000000000000', host: 'nura.example.com' }

/** The Teams app as a zip: the manifest with the bot and host of a deployment, and its two icons. The same input gives the same bytes. */
export async function packApp({ appId, host }: { appId: string; host: string }): Promise<Uint8Array> {
  const read = (name: string) => readFile(join(import.meta.dirname, name))
  const manifest = (await read('manifest.json')).toString().replaceAll(placeholder.appId, appId).replaceAll(placeholder.host, host)
  const epoch = new Date(1980, 0, 1)
  const files = { 'manifest.json': Buffer.from(manifest), 'color.png': await read('color.png'), 'outline.png': await read('outline.png') }
  return zipSync(files, { mtime: epoch })
}

/** @returns the file it wrote */
export async function writeApp(args: string[]): Promise<string> {
  const { out, ...app } = readArguments(args)
  await writeFile(out, await packApp(app))
  return out
}

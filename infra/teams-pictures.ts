import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { failWith } from './fail-with.ts'
import { pictureCards } from './teams/picture-cards.ts'

try {
  const { values } = parseArgs({ options: { folder: { type: 'string', default: '/tmp/cards' }, chromium: { type: 'string', default: 'chromium' } } })
  const goldens = join(import.meta.dirname, '../bot/teams/golden')
  for (const picture of await pictureCards({ goldens, folder: values.folder, chromium: values.chromium })) console.log(picture)
} catch (error) {
  process.exitCode = failWith(error, process.stderr)
}

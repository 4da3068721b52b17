import { failWith } from './fail-with.ts'
import { writeApp } from './teams/pack-app.ts'

try {
  const file = await writeApp(process.argv.slice(2))
  console.log(`Wrote ${file}. Upload it in the Teams admin centre, or in Teams under Apps → Manage your apps → Upload an app.`)
} catch (error) {
  process.exitCode = failWith(error, process.stderr)
}

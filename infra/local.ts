import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// What one start has compiled, the next need not compile again. It holds for what is loaded from here on, so nothing else comes first.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'nura'))
await import('./serve-locally.ts')

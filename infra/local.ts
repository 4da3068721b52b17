import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// What one start has compiled, the next need not compile again. It holds for what is loaded from here on, so nothing else comes first.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'nura'))
// The embedded store is WebAssembly. Much of it would be optimised within its first second, which costs more than a few answers win
// by it: here only what runs eight times as long is.
setFlagsFromString('--wasm-tiering-budget=100000000')
await import('./serve-locally.ts')

import type { Attack } from './attack.ts'
import { documents } from './documents.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [documents]

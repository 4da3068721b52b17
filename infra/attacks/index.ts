import type { Attack } from './attack.ts'
import { neighbours } from './neighbours.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [neighbours]

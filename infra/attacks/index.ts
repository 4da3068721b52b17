import type { Attack } from './attack.ts'
import { crowds } from './crowds.ts'
import { inputs } from './inputs.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [inputs, crowds]

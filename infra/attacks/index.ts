import type { Attack } from './attack.ts'
import { crowds } from './crowds.ts'
import { inputs } from './inputs.ts'
import { neighbours } from './neighbours.ts'
import { secrets } from './secrets/secrets.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [inputs, crowds, secrets, neighbours]

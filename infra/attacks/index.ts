import type { Attack } from './attack.ts'
import { crowds } from './crowds.ts'
import { documents } from './documents.ts'
import { inputs } from './inputs.ts'
import { neighbours } from './neighbours.ts'
import { secrets } from './secrets/secrets.ts'
import { tenantsAttack } from './tenants.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [tenantsAttack, documents, secrets, inputs, crowds, neighbours]

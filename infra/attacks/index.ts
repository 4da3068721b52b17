import type { Attack } from './attack.ts'
import { tenantsAttack } from './tenants.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = [tenantsAttack]

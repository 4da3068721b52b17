import type { Attack } from './attack.ts'

/** Every attack of `npm run attack`. */
export const attacks: readonly Attack[] = []

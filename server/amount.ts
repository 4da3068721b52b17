import type { Unit } from './answer-part.ts'

/** What stands behind a value; a count needs nothing. */
const signs: Record<Unit, string> = { count: '', hours: ' h', days: ' d', percent: ' %' }

/** What an axis of such values is called. */
export const unitNames: Record<Unit, string> = { count: 'count', hours: 'hours', days: 'days', percent: 'percent' }

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** A value with its unit, to one decimal: `1,204`, `26.5 h`, `3 d`, `40 %`. */
export function toAmount(value: number, unit: Unit): string {
  return `${number.format(round(value))}${signs[unit]}`
}

/** How a value stands to the one before it: `▲ 4 from 8`, `▼ 1.5 h from 6 h`, `same as before`; null where there is none. */
export function toChange({ value, previous, unit }: { value: number; previous: number | null; unit: Unit }): string | null {
  if (previous === null) return null
  const difference = round(round(value) - round(previous))
  if (difference === 0) return 'same as before'
  return `${difference > 0 ? '▲' : '▼'} ${toAmount(Math.abs(difference), unit)} from ${toAmount(previous, unit)}`
}

/** To what is shown, so that a change agrees with the two values that people see. */
function round(value: number): number {
  return Math.round(value * 10) / 10
}

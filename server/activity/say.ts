/** `1 pull request`, `12 pull requests`, `1,204 pull requests`. @param many where it is not the word with an s */
export function sayCount(count: number, one: string, many = `${one}s`): string {
  return `${sayNumber(count)} ${count === 1 ? one : many}`
}

export function sayNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

/** `was` or `were`, as the count before it wants. */
export function wasOrWere(count: number): string {
  return count === 1 ? 'was' : 'were'
}

/** As people say a duration: minutes below two hours, hours below two days, days from then on. */
export function sayHours(hours: number): string {
  if (hours < 2) return sayCount(Math.round(hours * 60), 'minute')
  if (hours < 48) return sayCount(Number(hours.toFixed(1)), 'hour')
  return sayCount(Number((hours / 24).toFixed(1)), 'day')
}

/** `, 4 more than the week before`; nothing where there is no time before. */
export function sayDifference(count: number, previous: number | null, words: string | undefined): string {
  if (previous === null || words === undefined) return ''
  if (count === previous) return `, as many as ${words}`
  return `, ${sayNumber(Math.abs(count - previous))} ${count > previous ? 'more' : 'fewer'} than ${words}`
}

/** `a, b and c`. */
export function sayList(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

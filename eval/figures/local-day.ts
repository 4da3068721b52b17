const formats = new Map<string, Intl.DateTimeFormat>()

/** The day that a calendar in the zone shows at an instant, such as `2020-03-29`. @param at seconds since 1970. */
export function toLocalDay(at: number, zone: string): string {
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' })
  formats.set(zone, format)
  return format.format(at * 1000)
}

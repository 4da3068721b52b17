/** A moment as people in a time zone read it: `22 Nov 2026, 14:05 (Europe/Berlin)`. A zone that is none is read as UTC. */
export function toMoment(iso: string, timeZone: string): string {
  try {
    return format(iso, timeZone)
  } catch {
    return format(iso, 'UTC')
  }
}

function format(iso: string, timeZone: string): string {
  const moment = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso))
  return `${moment} (${timeZone})`
}

/** What of a drawn secret must not stay: of an address the password, of a key of many lines each line of it, else all of it. */
export function revealing(secret: string): string[] {
  const password = /:\/\/[^:/]*:([^@]+)@/.exec(secret)?.[1] ?? /AccountKey=([^;]+)/.exec(secret)?.[1]
  return password ? [password] : secret.split('\n').filter((line) => !line.startsWith('-----'))
}

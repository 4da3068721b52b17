/** PostgreSQL stores no NUL character: it becomes U+FFFD. */
export function toStorable<Text extends string | null>(text: Text): Text {
  return (text === null ? null : text.replaceAll('\0', '\ufffd')) as Text
}

/** JSON text for a `jsonb` column. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (typeof part === 'string' ? toStorable(part) : part)) ?? 'null'
}

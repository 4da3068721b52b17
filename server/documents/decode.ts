/**
 * Text of bytes: by their byte order mark, else by the encoding that was declared, else as UTF-8, and what is none of that as
 * Windows-1252, which every sequence of bytes is. Lines end in `\n`.
 */
export function decode(bytes: Buffer, declared: string | null = null): string {
  return read(bytes, declared).replaceAll('\0', '\ufffd').replace(/\r\n?/g, '\n')
}

function read(bytes: Buffer, declared: string | null): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return tryDecode(bytes, 'utf-8') ?? (declared === null ? null : tryDecode(bytes, declared)) ?? new TextDecoder('windows-1252').decode(bytes)
}

/** UTF-8 comes first even where another encoding was declared: text in another is hardly ever well-formed UTF-8. */
function tryDecode(bytes: Buffer, encoding: string): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** The encoding that a page or its sender declares. */
export function declaredEncoding(bytes: Buffer, mediaType: string): string | null {
  const sent = /charset\s*=\s*"?([\w-]+)/i.exec(mediaType)?.[1]
  return sent ?? /<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?([\w-]+)/i.exec(bytes.subarray(0, 2048).toString('latin1'))?.[1] ?? null
}

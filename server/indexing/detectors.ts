import { typedSecrets } from './typed-secrets.ts'

/**
 * `pattern` ends with the secret: its group where it has one, else the whole. `accepts` tells a secret from a placeholder.
 * Patterns are linear in the text; `needs` tells first, at less cost, of a text that has nothing for one.
 */
export type Detector = { kind: string | ((secret: string) => string); pattern: RegExp; needs?: RegExp; accepts?(secret: string): boolean }

/** No letter or digit before, save that of an escape: `\n` in a string of code, `%3D` in an address. */
const from = '(?<!(?<!\\\\|%[0-9A-Fa-f])[A-Za-z0-9_])'
const whole = typedSecrets.map(([kind, shape]) => [kind, new RegExp(`^(?:${shape})$`)] as const)
function toPattern(shape: string): RegExp {
  return new RegExp(`${from}(?:${shape})(?![A-Za-z0-9_])`, 'g')
}

const quote = '\\\\{0,4}["\'`]'
const closed = '(?=[.?!]{0,3}["\'`\\s,;)\\]}<>&|\\\\#]|$)'
const assigned = `(?:${quote})?\\]?\\s{0,5}(?:=>|:=|\\?=|={1,3}|:|\\bis\\b|\\||,(?=\\s{0,5}["'\`]))\\s{0,5}`

/** Whose keys have no shape of their own, so that only the name beside tells. */
const makers =
  'adafruit|adobe|airtable|algolia|alibaba|aliyun|amplitude|asana|auth0|bitbucket|bittrex|cloudflare|codecov|cohere|coinbase|confluent|contentful|datadog|deepgram|discord|droneci|dropbox|elastic|elevenlabs|etsy|facebook|fastly|finicity|finnhub|firebase|flickr|freshbooks|gitter|heroku|hubspot|intercom|jfrog|artifactory|kraken|kucoin|launchdarkly|linkedin|looker|mailgun|mattermost|meraki|messagebird|mistral|mixpanel|mongodb_?atlas|netlify|newrelic|new_relic|nytimes|okta|opsgenie|pagerduty|pinecone|plaid|privateai|quay|rapidapi|segment|sendbird|sentry|shodan|snyk|sonar|splunk|squarespace|sumo|sumologic|supabase|telegram|tencent|travis|trello|twilio|twitch|twitter|virustotal|yandex|zendesk|zoom'
const secretNames =
  'secret|token|passw(?:or)?d|passphrase|pwd|credentials?|(?:api|app|access|private|auth|client|encryption|signing|master|account|webhook|service|session|shared|license)[_ -]?key|authorization|bearer'

/** Secrets in the shapes that their makers publish, and those that only the name before them tells. */
export const detectors: readonly Detector[] = [
  {
    kind: (secret) => whole.find(([, shape]) => shape.test(secret))?.[0] ?? 'Secret',
    pattern: toPattern(typedSecrets.flatMap(([, shape, mark]) => (mark ? [] : [shape])).join('|')),
    accepts: isFilled,
  },
  ...typedSecrets.flatMap(([kind, shape, needs]) => (needs ? [{ kind, needs, pattern: toPattern(shape), accepts: isFilled }] : [])),
  { kind: 'PrivateKey', needs: /PRIVATE KEY/, pattern: /-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){40,20000}-----END[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g },
  // One cut off before its end is still a key.
  { kind: 'PrivateKey', needs: /PRIVATE KEY/, pattern: /-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)*(?:[A-Za-z0-9+/=]{32,}(?:\s|\\n|\\r|["'+,])*){2,400}/g },
  { kind: 'PrivateKey', needs: /PuTTY-User-Key/, pattern: /PuTTY-User-Key-File-\d:[^\n]{1,80}\n(?:[A-Z][\w-]{2,30}: [^\n]{0,200}\n|[A-Za-z0-9+/=]{1,80}\n){3,400}/g },
  { kind: 'npm', needs: /_(?:auth|password)/, pattern: /_(?:authToken|password|auth)\s{0,3}=\s{0,3}["']?([A-Za-z0-9+/=_-]{16,200})/g },
  { kind: 'Azure', needs: /(?:Account|SharedAccess)Key=|[?&;]sig=/, pattern: /(?:AccountKey=|SharedAccessKey=|[?&;]sig=)([A-Za-z0-9+/%]{40,120}={0,2})/g },
  { kind: 'AWS', needs: /secret_?(?:access)?_?key/i, pattern: new RegExp(`secret_?(?:access)?_?key${assigned}(?:${quote})?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])`, 'gi'), accepts: isRandom },
  { kind: 'Password', needs: /:\/\//, pattern: /\b[a-z][a-z0-9+]{1,20}:\/\/[^\s:@/"'<>]{0,60}:([^\s:@/"'<>{}$*]{6,120})(?=@[\w[][\w.:[\]-])/gi, accepts: isChosen },
  { kind: 'Password', needs: /Basic /, pattern: /\bBasic ([A-Za-z0-9+/]{12,400}={0,2})(?![A-Za-z0-9+/=])/g, accepts: isBasic },
  { kind: 'Secret', needs: /Bearer |Token /, pattern: new RegExp(`\\b(?:Bearer|Token) ([A-Za-z0-9_.~+/=-]{16,400})${closed}`, 'g'), accepts: isRandom },
  {
    kind: 'Secret',
    pattern: new RegExp(`(?:${secretNames}|\\b(?:${makers}))[\\w. -]{0,20}${assigned}(?:${quote})?(?:Bearer |Token )?([A-Za-z0-9_\\-+/=.~]{12,200})${closed}`, 'gi'),
    accepts: isRandom,
  },
  {
    kind: 'Password',
    needs: /passw|pwd|passphrase/i,
    pattern: new RegExp(`(?<!\\d)(?:passw(?:or)?d|pwd|passphrase)\\w{0,12}${assigned}(?:${quote}([^\\s"'\`\\\\]{8,100})(?=${quote})|([^\\s"'\`(){}<>\\[\\],;]{8,100})(?=[.?!]{0,3}[\\s,;]|$))`, 'gi'),
    accepts: isStrong,
  },
]

const placeholder = /example|placeholder|your|xxxx|\*\*\*|1234567890?abc|abcdef0?123|changeme|dummy|sample|redacted|\.\.\./i

/** Not what stands where a secret will be: a word that says so, or one character over and over. */
function isFilled(secret: string): boolean {
  return !/xxxxx|(?:your|my)[-_]?(?:token|key|secret)|EXAMPLE|example|placeholder/.test(secret) && bitsOf(secret) >= 2
}

/** Placeholders in examples of connection strings. */
function isChosen(secret: string): boolean {
  return !/^(passw(?:or)?d|secret|example|changeme|postgres|username|testing|x+|\.+|your.*|my.*|redacted|123456)$/i.test(secret)
}

function isBasic(encoded: string): boolean {
  return /^[\x20-\x7e]{1,200}:[\x20-\x7e]{4,200}$/.test(Buffer.from(encoded, 'base64').toString())
}

/** A password that a person or a rule made: of three kinds of characters, one of them digits. */
function isStrong(secret: string): boolean {
  const others = [/[a-z]/, /[A-Z]/, /[^A-Za-z0-9]/].filter((kind) => kind.test(secret)).length
  return others >= 2 && /\d/.test(secret) && !placeholder.test(secret) && !/[{}<>()\\|]|\$[A-Za-z]|%[sdv]|^[./]|:\/\//.test(secret) && bitsOf(secret) > 2.5
}

/**
 * Random enough to be no word, path or name: as many bits a character as so few characters can have, changing between
 * kinds of characters about as often as chance does, and with digits, or else changing the more often.
 */
function isRandom(secret: string): boolean {
  if (placeholder.test(secret)) return false
  if (bitsOf(secret) < Math.min(3, 0.78 * Math.log2(secret.length))) return false
  return changesOf(secret) >= (/\d/.test(secret) ? 0.15 : 0.3) * secret.length && !isName(secret)
}

/** Words written together, with one number among them, as in `X509WorkloadIdentity`. */
function isName(text: string): boolean {
  const inWords = (text.match(/[A-Za-z][a-z]{2,}/g) ?? []).join('').length
  return inWords >= 0.6 * text.length && (text.match(/\d+/g)?.length ?? 0) < 2
}

/** Shannon's entropy of the characters. */
function bitsOf(text: string): number {
  const counts = new Map<string, number>()
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** How often small letters, capitals and digits follow another kind. A capital before small letters is how words begin, and counts once. */
function changesOf(text: string): number {
  return text.match(/[a-z](?=\d)|\d(?=[A-Za-z])|[A-Z](?=\d)|[a-z](?=[A-Z])|[A-Z](?=[a-z])/g)?.length ?? 0
}

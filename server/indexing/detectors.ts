/**
 * `pattern` matches the secret alone; `accepts` tells a secret from a placeholder. Patterns are linear in the text; one that
 * looks behind looks at every place, so `needs` tells first, at less cost, of a text that has nothing for it.
 */
export type Detector = { kind: string; pattern: RegExp; needs?: RegExp; accepts?(secret: string): boolean }

const word = (body: string, flags = 'g') => new RegExp(`(?<![A-Za-z0-9_])(?:${body})(?![A-Za-z0-9_])`, flags)

/** Secrets that the preset does not know or finds in certain files only, in the shapes that their makers publish. */
export const detectors: readonly Detector[] = [
  { kind: 'PrivateKey', pattern: /-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){40,20000}-----END[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g },
  // One cut off before its end is still a key.
  { kind: 'PrivateKey', pattern: /-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)*(?:[A-Za-z0-9+/=]{32,}(?:\s|\\n|\\r|["'+,])*){2,400}/g },
  { kind: 'AWS', pattern: word('(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}') },
  { kind: 'npm', needs: /_(?:auth|password)/, pattern: /(?<=_(?:authToken|password|auth)\s{0,3}=\s{0,3}["']?)[A-Za-z0-9+/=_-]{16,200}/g },
  { kind: '1Password', pattern: /\bops_ey[A-Za-z0-9+/=_-]{100,2000}/g },
  { kind: 'Google', pattern: word('AIza[0-9A-Za-z_-]{35}') },
  { kind: 'Google', pattern: word('GOCSPX-[0-9A-Za-z_-]{28}') },
  { kind: 'Google', pattern: /\bya29\.[0-9A-Za-z_-]{30,500}/g },
  { kind: 'Slack', pattern: /\bxox[abcdeoprs](?:\.xox[bp])?-[0-9A-Za-z.-]{20,400}/g },
  { kind: 'Slack', pattern: /\bxapp-\d-[A-Z0-9]{6,20}-\d{6,20}-[a-z0-9]{32,80}/gi },
  { kind: 'JWT', pattern: /\bey[A-Za-z0-9_-]{17,2000}\.ey[A-Za-z0-9_-]{17,4000}\.[A-Za-z0-9_-]{20,2000}/g },
  { kind: 'Azure', needs: /AccountKey=/, pattern: /(?<=AccountKey=)[A-Za-z0-9+/]{86}==/g },
  { kind: 'Azure', pattern: /(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])/g },
  { kind: 'Twilio', pattern: word('SK[0-9a-f]{32}') },
  { kind: 'Mailgun', pattern: word('key-[0-9a-f]{32}') },
  { kind: 'Mailchimp', pattern: word('[0-9a-f]{32}-us\\d{1,2}') },
  { kind: 'Telegram', pattern: /(?<![\w-])\d{8,10}:AA[0-9A-Za-z_-]{33}(?![\w-])/g },
  { kind: 'Discord', pattern: /https:\/\/(?:\w+\.)?discord(?:app)?\.com\/api\/webhooks\/\d{15,25}\/[\w-]{40,90}/g },
  { kind: 'Teams', pattern: /https:\/\/[\w-]+\.webhook\.office\.com\/webhookb2\/[\w@/-]{60,250}/g },
  { kind: 'PyPI', pattern: /\bpypi-AgE[A-Za-z0-9_-]{50,1000}/g },
  { kind: 'RubyGems', pattern: word('rubygems_[0-9a-f]{48}') },
  { kind: 'Crates', pattern: word('cio[A-Za-z0-9]{32}') },
  { kind: 'DigitalOcean', pattern: word('do[opr]_v1_[0-9a-f]{64}') },
  { kind: 'GitLab', pattern: /\bgl(?:ptt|dt|rt|cbt|agent|imt|soat|ft|oas)-[0-9A-Za-z_-]{20,80}/g },
  { kind: 'Atlassian', pattern: /\bAT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{20,300}/g },
  { kind: 'Heroku', pattern: /\bHRKU-[0-9A-Za-z_-]{36,70}/g },
  { kind: 'NewRelic', pattern: word('NR(?:AK|JS|II)-[A-Za-z0-9-]{19,40}') },
  { kind: 'Sentry', pattern: /\bsntry[su]_[A-Za-z0-9+/=_]{60,300}/g },
  { kind: 'PlanetScale', pattern: /\bpscale_(?:tkn|pw|oauth)_[\w.=-]{32,64}/g },
  { kind: 'Pulumi', pattern: word('pul-[0-9a-f]{40}') },
  { kind: 'Doppler', pattern: /\bdp\.(?:pt|st|ct|scim|audit)\.[\w.-]{40,60}/g },
  { kind: 'Fly', pattern: /\bfm[12][ar]?_[A-Za-z0-9+/=]{100,1000}/g },
  { kind: 'Supabase', pattern: word('sb(?:p|_secret)_[0-9A-Za-z_-]{20,60}') },
  { kind: 'Postman', pattern: word('PMAK-[0-9a-f]{24}-[0-9a-f]{34}') },
  { kind: 'Airtable', pattern: /\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}/g },
  { kind: 'Square', pattern: /\b(?:sq0(?:atp|csp)-|EAAA)[0-9A-Za-z_-]{22,64}/g },
  { kind: 'Age', pattern: word('AGE-SECRET-KEY-1[0-9A-Z]{58}') },
  { kind: 'EasyPost', pattern: word('EZ[AT]K[0-9A-Za-z]{54}') },
  { kind: 'Replicate', pattern: word('r8_[0-9A-Za-z]{37}') },
  { kind: 'OpenAI', pattern: word('sk-(?:proj|svcacct|admin|or-v1)-[A-Za-z0-9_-]{40,200}') },
  { kind: 'Anthropic', pattern: word('sk-ant-[a-z]+\\d{2}-[A-Za-z0-9_-]{40,200}') },
  { kind: 'AWS', needs: /secret_?(?:access)?_?key/i, pattern: /(?<=(?:aws|amazon)?_?secret_?(?:access)?_?key["']?\s{0,5}(?:=>|:=|[:=])\s{0,5}["']?)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/gi, accepts: isRandom },
  { kind: 'Password', needs: /:\/\//, pattern: /(?<=[a-z][a-z0-9+]{1,12}:\/\/[^\s:@/"'<>]{0,60}:)[^\s:@/"'<>{}$*]{6,120}(?=@[\w[][\w.:[\]-]{1,100})/gi, accepts: isChosen },
  {
    kind: 'Secret',
    needs: /secret|token|passw|pwd|credential|(?:api|access|private|auth|client)_?-?key/i,
    pattern:
      /(?<=(?:secret|token|passw(?:or)?d|pwd|api_?-?key|access_?-?key|private_?-?key|auth_?-?key|client_?-?key|credentials?)[\w-]{0,20}["'`]?\s{0,5}(?:=>|:=|[:=])\s{0,5}["'`])[A-Za-z0-9_\-+/=.~]{16,200}(?=["'`])/gi,
    accepts: isRandom,
  },
]

/** Placeholders in examples of connection strings. */
function isChosen(secret: string): boolean {
  return !/^(pass(word|wd)?|secret|example|changeme|postgres|mysql|root|admin|user(name)?|test(ing)?|guest|x+|\*+|\.+|<.*>|your.*|my.*|dummy|redacted|token|123456)$/i.test(secret)
}

/** Random enough to be no word, path or identifier: letters and digits mixed, at least 3.6 bits a character (gitleaks takes 3.5). */
function isRandom(secret: string): boolean {
  if (!/\d/.test(secret) || !/[A-Za-z]/.test(secret)) return false
  if (/example|placeholder|your|xxxx|1234567890abcdef|test|dummy|sample|fake/i.test(secret)) return false
  const counts = new Map<string, number>()
  for (const char of secret) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / secret.length) * Math.log2(count / secret.length)
  return bits >= 3.6
}

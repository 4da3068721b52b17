import { describe, expect, test } from 'vitest'
import { findSecrets, mergeSecrets } from './find-secrets.ts'

const join = (...parts: string[]) => parts.join('')
const base64 = (text: string) => Buffer.from(text).toString('base64')
/** Nothing else begins like this. */
const gitlab = (...parts: string[]) => join('glpat', '-', ...parts)

/** What is found in a text, and what it is called. */
function findIn(text: string): string[][] {
  return mergeSecrets(findSecrets(text)).map(({ start, end, kind }) => [kind, text.slice(start, end)])
}

describe('a secret that says what it is', () => {
  test.each([
    ['AWS', join('AKIA', 'AAAKKKKIIIIBBBBB')],
    ['GitLab', gitlab('q7Zk2mVxB4wJ6hYc9GsN')],
    ['GitLab', gitlab('myxtoken', 'q7Zk2mVxB4wJ')],
    ['GitLab', gitlab('yourxtoken', 'q7Zk2mVxB4wJ')],
    ['GitLab', gitlab('xxxx', 'q7Zk2mVxB4wJ6hYc')],
    ['Telegram', join('314159265', ':A', 'q7Zk2mVxB4wJ6hYc9GsNq7Zk2mVxB4wJ6h')],
  ])('%s: %s', (kind, secret) => {
    expect(findIn(`it is ${secret}, he said`)).toEqual([[kind, secret]])
  })

  test.each([
    ['of too few characters', join('AKIA', 'AAAAKKKIIIIBBBBB')],
    ['one character over and over', gitlab('a'.repeat(20))],
    ['an example', join('AKIA', 'QX7MZP2LR', 'EXAMPLE')],
    ['an example in small letters', gitlab('example', 'q7Zk2mVxB4wJ6')],
    ['a placeholder', gitlab('placeholder', 'q7Zk2mVxB')],
    ['filled with x', gitlab('xxxxx', 'q7Zk2mVxB4wJ6hY')],
    ['my token', gitlab('mytoken', 'q7Zk2mVxB4wJ6')],
    ['my-token', gitlab('my-token-', 'q7Zk2mVxB4w')],
    ['your_key', gitlab('your_key', 'q7Zk2mVxB4wJ')],
    ['your-secret', gitlab('your-secret', 'q7Zk2mVxB4wJ')],
    ['inside a longer word', `x${gitlab('q7Zk2mVxB4wJ6hYc9GsN')}`],
    ['too short', gitlab('q7Zk2mVxB4wJ6hYc9Gs')],
  ])('but not %s', (_, text) => {
    expect(findIn(`it is ${text}, he said`)).toEqual([])
  })
})

describe('a private key', () => {
  const dashes = '-'.repeat(5)
  const begin = (kind: string) => join(dashes, 'BEGIN ', kind, dashes)
  const lines = ['q7Zk2mVx', 'B4wJ6hYc', '9GsNt3Rf'].map((part) => part.repeat(8))
  const one = 'PRIVATE KEY'

  test.each([one, `RSA ${one}`, `PGP ${one} BLOCK`])('of the kind %s is found from its begin to its end', (kind) => {
    for (const body of [lines, ['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-128-CBC,0102', '', ...lines], ['q'.repeat(38)]]) {
      const key = [begin(kind), ...body, join(dashes, 'END ', kind, dashes)].join('\n')
      expect(findIn(`before\n${key}\nafter`)).toEqual([['PrivateKey', key]])
    }
  })

  test.each(['\n', '\r\n', '\\n', '\\r\\n'])('is found without its end, in lines that end with %j', (newline) => {
    for (const kind of [one, `EC ${one}`, `PGP ${one} BLOCK`]) {
      for (const body of [lines, lines.slice(2), lines.map((line) => line.slice(0, 32))]) {
        const key = [begin(kind), ...body, ''].join(newline)
        expect(findIn(`before ${key}...`)).toEqual([['PrivateKey', key]])
      }
    }
  })

  test('is found without its end, in strings of code', () => {
    const key = join(begin(one), lines.join('" +\n  "'), '",\n')
    expect(findIn(`open("${key}…`)).toEqual([['PrivateKey', key]])
  })

  test.each([
    ['a line of sixty-three', [lines[0]!.slice(0, 63)]],
    ['short lines', lines.map((line) => line.slice(0, 31))],
    ['words', ['is how the file begins that holds the key, and nothing of it follows here']],
  ])('is not %s', (_, body) => {
    expect(findIn([begin(one), ...body, ''].join('\n'))).toEqual([])
  })

  test('is not what is too short between its begin and its end', () => {
    expect(findIn([begin(one), 'q'.repeat(37), join(dashes, 'END ', one, dashes)].join('\n'))).toEqual([])
  })

  test('of PuTTY is found whole', () => {
    const head = [join('PuTTY-User-', 'Key-File-2: ssh-rsa'), 'Encryption: none', 'Comment: ']
    const key = [...head, 'Public-Lines: 2', ...lines.slice(0, 2), 'Private-Lines: 1', lines[2], 'Private-MAC: 0102', ''].join('\n')
    expect(findIn(`before\n${key}after`)).toEqual([['PrivateKey', key]])
    expect(findIn([...head, 'and so on'].join('\n'))).toEqual([])
  })
})

describe('a secret beside the name that its maker gives it', () => {
  const key = join('q7Zk2mVxB4wJ6hYc9GsN', 'Lt3RfDp8XeUa5KbTnMv1')
  test.each([
    ['AWS', 'secretkey='],
    ['AWS', 'secret_key: '],
    ['AWS', 'secretAccessKey = "'],
    ['AWS', 'AWS_SECRET_ACCESS_KEY='],
    ['npm', '//registry.acme.dev/:_auth = '],
    ['npm', '_authToken="'],
    ['npm', '_password='],
    ['Azure', 'AccountName=acme;AccountKey='],
    ['Azure', 'Endpoint=sb://acme.dev/;SharedAccessKey='],
    ['Azure', 'https://acme.dev/files?sig='],
    ['Azure', 'https://acme.dev/files?sv=2&sig='],
  ])('%s: %s', (kind, before) => {
    expect(findIn(before + key)).toEqual([[kind, key]])
  })

  test.each(['design=', '_author=', 'AccountName=', 'secret agent: '])('but not after %s', (before) => {
    expect(findIn(before + key).filter(([kind]) => kind !== 'Secret')).toEqual([])
  })
})

describe('a password in an address', () => {
  test.each(['q7Zk2mVx', 'password9', '9password', 'mistress', 'Zyourself', 'xxxxxxx7', '7xxxxxxx', '......7', 'usernames', 'secretly', 'tested'])('%s', (secret) => {
    expect(findIn(`open postgres://shop:${secret}@db:5432/shop now`)).toEqual([['Password', secret]])
  })

  test.each(['password', 'Passwd', 'secret', 'example', 'CHANGEME', 'postgres', 'username', 'testing', 'xxxxxx', '......', 'your-password', 'mypassword', 'redacted', '123456', 'short'])('but not %s', (secret) => {
    expect(findIn(`open postgres://shop:${secret}@db:5432/shop now`)).toEqual([])
  })
})

describe('a name and a password in a header', () => {
  test.each(['deploy:q7Zk2mVx', 'a:q7Zk2mVx', 'deploy:word', 'a:b:c with spaces', `${'n'.repeat(200)}:word`])('%s', (pair) => {
    expect(findIn(`Authorization: Basic ${base64(pair)}\n`)).toContainEqual(['Password', base64(pair)])
  })

  test.each([
    ['without a colon', 'a sentence of words'],
    ['without a name', ':q7Zk2mVxB4w'],
    ['with a password of three characters', 'deployment:abc'],
    ['that begins with no character', '\u0001deploy:q7Zk2mVx'],
    ['that ends with no character', 'deploy:q7Zk2mVx\u0001'],
    ['with a name of two hundred and one', `${'n'.repeat(201)}:word`],
    ['of other bytes', '\u00ff\u00fe:\u00fd\u00fc\u00fb\u00fa\u00f9'],
  ])('but not one %s', (_, pair) => {
    expect(findIn(`Basic ${base64(pair)}\n`)).toEqual([])
  })
})

describe('a password beside its name', () => {
  test.each([
    ['of small letters, digits and others', join('zebra-', '7x9qp')],
    ['of capitals, digits and others', join('ZEBRA-', '7X9QP')],
    ['of letters and digits', join('Zebra', 'q7x9pP')],
    ['of all four', join('Zebra-', '7x9Q')],
    ['with as few bits as one may have', join('aaBC', '12!x')],
    ['with a dollar', join('Zebra$', '7x-9Q')],
    ['with a percent sign', join('Zebra%', '7x-9Q')],
    ['with a dot', join('Zebra.', '7x9Q')],
  ])('%s', (_, secret) => {
    for (const [before, after] of [['password: ', ''], ['"db_passwd": "', '"'], ["pwd='", "'"], ['the passphrase is ', ', said Ada']]) {
      expect(findIn(`${before}${secret}${after}`)).toEqual([['Password', secret]])
    }
  })

  test.each([
    ['of small letters and digits', 'zebra7x9qpp'],
    ['of capitals and digits', 'ZEBRA7X9QPP'],
    ['of digits and others', '12-34-56+78'],
    ['of letters and others', 'Zebra-Quaxx'],
    ['that says that it is none', 'Changeme-7x'],
    ['of too few bits', join('aaBB', '12!x')],
    ['that is a template', 'Ze{bra}-7x9Q'],
    ['that is a call', 'Zebra(7x9Q)'],
    ['that is a union', 'Zebra|7x9Q'],
    ['that is a type', 'Zebra<7x9Q>'],
    ['that holds a variable', 'Zebra$x7-9Q'],
    ['that is a format', 'Zebra-%s7x9'],
    ['that is a path', './Zebra-7x9'],
    ['that is a path of the root', '/Zebra-7x9'],
    ['that is an address', 'Zebra://7x9'],
    ['of seven characters', 'Zebra-7'],
  ])('but not one %s', (_, secret) => {
    expect(findIn(`password: "${secret}"`)).toEqual([])
  })
})

describe('a secret that only its name tells', () => {
  test.each([
    ['of three bits a character', join('b1k2b1k2', 'v3z4v3z4')],
    ['of twelve characters, with as many bits as those can have', join('b1k2b1', 'k2v3z4')],
    ['whose small letters go over into digits', join('qv1-wk2-zt3', '-bghplmdn')],
    ['whose digits go over into small letters', join('1qv-2wk-3zt', '-bghplmdn')],
    ['whose digits go over into capitals', join('1QV-2WK-3ZT', '-BGHPLMDN')],
    ['whose capitals go over into digits', join('QV1-WK2-ZT3', '-BGHPLMDN')],
    ['whose small letters go over into capitals', join('qV-wK-zT-bG', '-hP-lM-dn')],
    ['whose capitals go over into small letters', join('Vq-Kw-Tz-Gb', '-Ph-Ml-dn')],
    ['without a word', join('QxZvKpWt', 'RmBnLcHd')],
    ['with too few words to be a name', join('Work509Load', 'Q-V-Kes-Z')],
    ['with words and two numbers', join('Work5Z9Load', 'Q-V-Keys-')],
  ])('%s', (_, secret) => {
    expect(findIn(`token: '${secret}'`)).toEqual([['Secret', secret]])
  })

  test.each([
    ['of less than three bits', 'b1k2b1k2v3z4v3z3'],
    ['of two characters', 'a1a1a1a1a1a1a1a1'],
    ['of twelve characters that come again', 'b1k2b1k2v3vk'],
    ['that says that it is an example', 'example-qv1-wk2-zt3'],
    ['whose small letters seldom go over into digits', 'qv1-wk2-ztr-bghplmdn'],
    ['whose digits seldom go over into small letters', '1qv-2wk-zzt-bghplmdn'],
    ['whose digits seldom go over into capitals', '1QV-2WK-ZZT-BGHPLMDN'],
    ['whose capitals seldom go over into digits', 'QV1-WK2-ZTT-BGHPLMDN'],
    ['with numbers of many digits', 'qv1111-wk2222-bghplm'],
    ['of digits only', '31415926535897932384'],
    ['whose small letters seldom go over into capitals', 'qV-wK-zT-bG-hP-lm-dn'],
    ['whose capitals seldom go over into small letters', 'Vq-Kw-Tz-Gb-Ph-ml-dn'],
    ['that is a name', 'X509WorkloadIdentity'],
    ['that is a name without a number', 'AbcDefGhiJklMno'],
    ['that is a name to three fifths', 'Work509LoadQ-V-Keys-'],
    ['of eleven characters', 'b1k2b1k2v3z'],
    ['that counts up to zero', '1234567890abc-Qv7-wK9'],
    ['that counts up to nine', '123456789abc-Qv7-wK9'],
    ['that begins the alphabet', 'abcdef0123-Qv7-wK9'],
    ['that begins the alphabet and counts from one', 'abcdef123-Qv7-wK9'],
  ])('but not one %s', (_, secret) => {
    expect(findIn(`token: '${secret}'`)).toEqual([])
  })

  test.each(['const token = "', 'Bearer ', 'Authorization: Bearer ', '"client_secret": "', 'export TWILIO=', 'api-key => '])('after %s', (before) => {
    const secret = join('q7Zk2mVx', 'B4wJ6hYc')
    expect(findIn(before + secret)).toEqual([['Secret', secret]])
  })

  test.each(['token = ', 'Bearer '])('but not what is called, after %s', (before) => {
    expect(findIn(`${before}${join('q7Zk2mVx', 'B4wJ6hYc')}(request)`)).toEqual([])
  })

  test.each(['const value = "', 'see ', 'a bearer of '])('but not after %s', (before) => {
    expect(findIn(before + join('q7Zk2mVx', 'B4wJ6hYc'))).toEqual([])
  })
})

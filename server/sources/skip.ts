import type { TreeEntry } from './source.ts'

/** Why a file of the tree is not indexed. Kept in `file.skip_reason` and counted in the report of an index run. */
export const skipReasons = [
  'symlink',
  'submodule',
  'too-large',
  'lock-file',
  'vendored',
  'generated',
  'secret-file',
  'binary',
  'minified',
  'lfs-pointer',
  'snapshot',
  'source-map',
  'data',
  'not-included',
  'ignored',
  'path-too-long',
  'restricted',
  'gone',
  'unreadable',
  'empty',
] as const
export type SkipReason = (typeof skipReasons)[number]

/** Bytes above which a file is no text that a person wrote. */
const largest = 1024 * 1024
/** Bytes above which JSON, CSV and the like are data, not configuration. */
const largestData = 128 * 1024

const lockFiles = new Set(
  `package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-lock.yml bun.lock bun.lockb deno.lock composer.lock gemfile.lock
  cargo.lock poetry.lock pdm.lock uv.lock pipfile.lock conda-lock.yml go.sum go.work.sum mix.lock pubspec.lock podfile.lock cartfile.resolved
  package.resolved packages.lock.json paket.lock flake.lock gradle.lockfile .terraform.lock.hcl chart.lock module.bazel.lock`.split(/\s+/),
)

const vendoredFolder = /(^|\/)(node_modules|bower_components|jspm_packages|vendor|third[-_]?party|Pods|Carthage|\.yarn|\.pnp|Godeps|deps\/hex)\//
const generatedFolder = /(^|\/)(dist|__generated__|__pycache__|\.next|\.nuxt|\.svelte-kit|coverage)\//
const generatedName = /(\.min\.(js|mjs|css)|\.bundle\.js|-min\.(js|css)|\.pb\.(go|cc|h)|_pb2(_grpc)?\.pyi?|\.pb\.gw\.go|\.g\.dart|\.designer\.cs|\.g\.cs)$/i
const minifiedName = /[.-]min\.(js|mjs|cjs|css)$/i

const keyName = /^(id_(rsa|dsa|ecdsa|ed25519)(_sk)?|\.netrc|\.pgpass|\.htpasswd|\.git-credentials|\.dockercfg|\.pypirc|kubeconfig)$/
const keyExtension = /\.(pem|key|p8|p12|pfx|jks|keystore|ppk|gpg|kdbx|ovpn|tfstate|tfvars)$/i
/** Public by nature, or made to be read: an example holds no secret. */
const harmless = /\.(pub\.(key|pem)|example|sample|template|dist|md)$|(^|\.)(example|sample|template)\./i
const envName = /^\.env(rc|\..+)?$|\.env$/

const snapshotName = /\.(snap|snapshot)$|\.ambr$/i
const dataExtension = /\.(json|jsonl|ndjson|geojson|csv|tsv|xml|svg|ipynb|po|sql|txt|log|dat|plist|har)$/i
const assetExtension = /\.(svg|lottie|geojson|har|log|patch|diff)$/i

const binaryExtension = new RegExp(
  `\\.(${`png jpe?g gif webp avif bmp ico icns tiff? psd ai eps heic xcf sketch fig mp[34] m4[av] mov avi mkv webm ogg wav flac aac
  woff2? ttf otf eot pdf docx? xlsx? pptx? odt ods key-?note zip gz tgz bz2 xz zst 7z rar tar jar war ear aar apk ipa dmg iso deb rpm
  exe dll so dylib a o obj lib class pyc pyo pyd wasm node bin dat db sqlite3? mdb parquet avro orc arrow npy npz h5 hdf5 pkl pickle
  onnx pt pth ckpt safetensors tflite gguf mo nupkg snupkg whl gem swf cur der crt cer`
    .split(/\s+/)
    .join('|')})$`,
  'i',
)

/** Raised when an entry is decided about otherwise than before, so that what was decided earlier is looked at again. */
export const skipVersion = 1

/** Decides by name, mode and size, before anything is read. Of a document its source decides: what its path looks like says nothing. */
export function skipByEntry(entry: TreeEntry): SkipReason | null {
  if (entry.kept || entry.document) return entry.kept ?? null
  const { path } = entry
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (entry.mode === '120000') return 'symlink'
  if (entry.mode === '160000' || entry.size === null) return 'submodule'
  if (isSecretName(name)) return 'secret-file'
  if (lockFiles.has(name.toLowerCase())) return 'lock-file'
  if (entry.vendored || vendoredFolder.test(path)) return 'vendored'
  if (minifiedName.test(name)) return 'minified'
  if (entry.generated || generatedName.test(name) || generatedFolder.test(path)) return 'generated'
  if (name.endsWith('.map') && /\.(js|mjs|cjs|css|ts)\.map$/.test(name)) return 'source-map'
  if (snapshotName.test(name) || /(^|\/)__snapshots__\//.test(path)) return 'snapshot'
  if (binaryExtension.test(name)) return 'binary'
  if (assetExtension.test(name)) return 'data'
  if (dataExtension.test(name) && entry.size > largestData) return 'data'
  return entry.size > largest ? 'too-large' : null
}

function isSecretName(name: string): boolean {
  if (harmless.test(name)) return false
  return keyName.test(name) || keyExtension.test(name) || envName.test(name)
}

/** Text of a file, or why its content is not indexed. Bytes that are no UTF-8 are read as Latin-1: nothing is lost. */
export function readText(path: string, bytes: Buffer): { text: string; skip: null } | { text: null; skip: SkipReason } {
  const text = decode(bytes)
  if (text === null) return { text, skip: 'binary' }
  const skip = skipByText(path, text)
  return skip === null ? { text, skip } : { text: null, skip }
}

function skipByText(path: string, text: string): SkipReason | null {
  if (text.startsWith('version https://git-lfs.github.com/spec/')) return 'lfs-pointer'
  if (/(^|\/)\.(npmrc|yarnrc(\.yml)?)$/.test(path) && /_authToken|_password|_auth\b|npmAuth(Token|Ident)/.test(text)) return 'secret-file'
  if (isGenerated(text)) return 'generated'
  return isMinified(text) ? 'minified' : null
}

function decode(bytes: Buffer): string | null {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return withoutNul(new TextDecoder('utf-16le', { ignoreBOM: true }).decode(bytes))
  if (bytes.includes(0)) return null
  const text = bytes.toString('utf8')
  if (!text.includes('\ufffd')) return text
  if (Buffer.from(text, 'utf8').equals(bytes)) return text
  const sample = bytes.subarray(0, 8192)
  const odd = sample.reduce((count, byte) => count + (byte < 0x09 || (byte > 0x0d && byte < 0x20) || byte >= 0x7f ? 1 : 0), 0)
  return odd / sample.length > 0.3 ? null : bytes.toString('latin1')
}

function withoutNul(text: string): string | null {
  return text.includes('\0') ? null : text
}

/** A comment line: Go's convention (`Code generated … DO NOT EDIT.`) and what other generators write in theirs. */
const generatedLine = new RegExp(
  `^\\s*(//+|#+|/?\\*+|<!--|--|;+|%+|"""|''')?\\s*(${[
    'code generated by .*do not edit',
    '(this (file|code|class) (is|was|has been) )?(auto-?|automatically )generated\\b',
    'this (file|code|class) (is|was|has been) generated\\b',
    'generated by .*do not (edit|modify|change)',
    '@generated\\b',
    'do not (edit|modify)( this file)?( directly| manually| by hand)?\\s*[.!*-]*\\s*$',
  ].join('|')})`,
  'i',
)

function isGenerated(text: string): boolean {
  const lines = text.slice(0, 2000).split('\n', 15)
  return lines.some((line) => generatedLine.test(line) && line.length < 400)
}

/** Lines of a minifier: long on average, or one that no person writes and that holds most of the file. */
function isMinified(text: string): boolean {
  if (text.length < 2000) return false
  let longest = 0
  let lines = 0
  for (let start = 0; start <= text.length; lines++) {
    const end = text.indexOf('\n', start)
    const stop = end === -1 ? text.length : end
    longest = Math.max(longest, stop - start)
    start = stop + 1
  }
  const spaces = text.slice(0, 20_000).match(/\s/g)?.length ?? 0
  const dense = spaces / Math.min(text.length, 20_000) < 0.1
  return longest > 20_000 ? dense || longest > text.length / 2 : text.length / lines > 300 && dense
}

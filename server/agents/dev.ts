import { defineAgent } from './agent.ts'
import { devExamples } from './examples/dev.ts'
import { devPrompt } from './prompts/dev.ts'

/** Code level: where something is, what it does, who calls it, how to run and test it. */
export const dev = defineAgent({
  name: 'dev',
  title: 'Dev',
  purpose: 'code: where something is, what it does, who uses it, how to run, test and debug it',
  prompt: devPrompt,
  lens: { first: 'code', snippets: 2 },
  profile: { code: 1, documentation: 0.8, business: 0.4 },
  aliases: ['dev', 'developer', 'engineer', 'programmer', 'coder'],
  cues: [
    'function', 'method', 'class', 'variable', 'parameter', 'argument', 'return', 'exception', 'error', 'bug', 'stack trace', 'traceback',
    'test', 'mock', 'fixture', 'lint', 'compile', 'import', 'call', 'caller', 'implement', 'implementation', 'override', 'debug', 'refactor',
    'regex', 'parse', 'parser', 'null', 'undefined', 'type', 'interface', 'handler', 'middleware', 'decorator', 'route', 'endpoint', 'header',
    'script', 'command', 'install', 'npm', 'pip', 'env', 'environment variable', 'config option', 'default value', 'line', 'file', 'snippet',
    'code', 'constant', 'callback', 'async', 'await', 'promise', 'thread', 'loop', 'hook', 'query', 'migration file', 'commit', 'branch',
    'timeout', 'retry', 'log', 'crash', 'throw', 'raise', 'panic', 'validate', 'serialize', 'encode', 'decode', 'hash', 'token',
    'stub', 'spec', 'assert', 'assertion', 'unit test', 'kwarg', 'kwargs', 'struct', 'field', 'property', 'attribute', 'object',
    'array', 'list', 'string', 'integer', 'boolean', 'pointer', 'closure', 'generator', 'iterator', 'constructor',
    'instance method', 'invoke', 'usage', 'usages', 'example code', 'sample code', 'attach', 'debugger', 'breakpoint',
    'trailing', 'slash', 'url', 'path', 'cookie', 'request', 'response', 'body', 'status code', 'redirect', 'socket', 'buffer',
    'stream', 'close', 'open', 'read', 'write', 'delete', 'temp', 'signature', 'docstring', 'comment', 'annotation', 'generic',
    'cast', 'convert', 'format', 'escape', 'normalize', 'trim', 'lowercase', 'sort', 'filter', 'map', 'merge', 'clone',
    'makefile', 'dockerfile', 'package json', 'lockfile', 'run', 'build', 'watch', 'start', 'locally', 'flag', 'cli', 'argv',
    'stdout', 'stderr', 'exit code', 'loader', 'template', 'handled', 'handle', 'registered', 'set', 'defined', 'declared',
    'initialised', 'initialized', 'created', 'called', 'used', 'implemented', 'thrown', 'caught', 'logged',
  ],
  examples: devExamples,
})

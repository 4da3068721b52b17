import { defineAgent } from './agent.ts'
import { architectExamples } from './examples/architect.ts'
import { architectPrompt } from './prompts/architect.ts'

/** System level: modules and their boundaries, dependencies, decisions and what they cost. */
export const architect = defineAgent({
  name: 'architect',
  title: 'Architect',
  purpose: 'systems: modules, boundaries, dependencies, decisions and their trade-offs',
  prompt: architectPrompt,
  lens: { first: 'modules', snippets: 1 },
  profile: { code: 0.9, documentation: 1.2, business: 0.6 },
  aliases: ['architect', 'system architect', 'software architect', 'solution architect', 'tech lead'],
  cues: [
    'architecture', 'architectural', 'design', 'module', 'modules', 'boundary', 'boundaries', 'component', 'components', 'service', 'services',
    'dependency', 'dependencies', 'depend', 'coupling', 'coupled', 'cohesion', 'layer', 'layers', 'layering', 'scale', 'scaling', 'scalability',
    'throughput', 'trade off', 'tradeoff', 'decision', 'adr', 'pattern', 'topology', 'consistency', 'failure mode', 'resilience', 'resilient',
    'high availability', 'data model', 'ownership', 'migration strategy', 'event driven', 'monolith', 'microservice', 'integration', 'diagram',
    'bottleneck', 'single point of failure', 'isolation', 'tenancy', 'multi tenant', 'abstraction', 'contract between', 'subsystem',
    'separation of concerns', 'structured', 'structure', 'organised', 'organized', 'lifecycle', 'data flow', 'end to end', 'pipeline',
    'stateless', 'state', 'replicate', 'shard', 'partition', 'horizontal', 'horizontally', 'extension point', 'plugin system', 'interact',
    'rationale', 'alternative', 'alternatives', 'big picture', 'overview', 'eventual', 'backpressure', 'idempotent', 'deployment', 'cyclic',
    'broker', 'instance', 'instances', 'replica', 'cluster', 'node', 'process', 'processes', 'degrade', 'degraded',
    'unreachable', 'outage of', 'latency', 'traffic', 'heavy load', 'capacity', 'growth', 'bounded context',
    'bounded contexts', 'domain', 'domain model', 'seam', 'seams', 'port', 'adapter', 'adapters', 'provider', 'providers',
    'swap', 'replace', 'technology', 'technologies', 'rejected', 'chosen', 'choose', 'considered', 'why not', 'pros and cons',
    'reasoning', 'approach', 'strategy', 'principle', 'principles', 'invariant', 'invariants', 'guarantee', 'guarantees',
    'responsibility', 'responsibilities', 'owner of', 'owns', 'codebase', 'code base', 'foot view', 'high level',
    'building block', 'building blocks', 'landscape', 'map of', 'directory layout', 'top level', 'folder', 'folders',
    'package structure', 'monorepo', 'workspace layout', 'gateway', 'storage tier', 'tier', 'back end', 'front end', 'backend',
    'frontend', 'communicate', 'talk to', 'sits between', 'goes through', 'travel', 'travels', 'propagate', 'synchronous',
    'asynchronous', 'read path', 'write path', 'hot path', 'cache layer', 'caching', 'queue', 'queues', 'worker pool',
    'scheduler', 'event sourced', 'cqrs', 'blast radius', 'security perimeter', 'trust boundary', 'threat model',
    'observability', 'failover', 'disaster recovery', 'replication', 'redundancy', 'import each other', 'circular', 'acyclic',
    'data residency', 'what would it take', 'would it take', 'would have to change', 'direction', 'infrastructure', 'platform design', 'vendor', 'vendors', 'lock in', 'evolve', 'compatibility', 'versioning',
  ],
  examples: architectExamples,
})

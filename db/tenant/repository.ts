import { defineEntity, p, type InferEntity } from '@mikro-orm/core'

/** A source of documents, and how far the index has followed it. */
export const Repository = defineEntity({
  name: 'Repository',
  tableName: 'repository',
  schema: '*',
  properties: {
    id: p.uuid().primary(),
    name: p.text().unique('repository_name_key'),
    source: p.text().$type<'git' | 'github' | 'documents' | 'confluence' | 'notion' | 'jira'>(),
    /** Path of a checkout, `owner/name`, or the base address of a site. */
    location: p.text(),
    url: p.text().nullable(),
    defaultBranch: p.text().nullable(),
    /**
     * `tenant`: everyone in it may be answered from it. `granted`: only the channels and people of `source_grant`. `github`:
     * only people whose linked GitHub account may read it there.
     */
    audience: p.text().$type<'tenant' | 'granted' | 'github'>().default('tenant'),
    isPublic: p.boolean().default(false),
    indexedSha: p.text().nullable(),
    indexedAt: p.datetime().nullable(),
    /** The rules by which the index equals the tree at `indexedSha`; null while it equals none, or none that is known. */
    indexedRules: p.text().nullable(),
    state: p.text().$type<'new' | 'indexing' | 'ready' | 'failed' | 'forgetting'>().default('new'),
    error: p.text().nullable(),
    /** What GitHub calls it by, whatever its name, and the installation that reads it; null for other sources. */
    externalId: p.bigint('number').nullable(),
    installationId: p.bigint('number').nullable(),
    /** The newest head that anyone told of; the source itself decides. */
    headSha: p.text().nullable(),
    /** What its `.nura.yml` says, the blob it was read from, what is wrong with it, and the blob whose fault was told. */
    settings: p.json<Record<string, unknown>>().nullable(),
    settingsSha: p.text().nullable(),
    settingsFault: p.text().nullable(),
    settingsToldSha: p.text().nullable(),
    /** What every file of it counts as; null: each by itself. */
    contentType: p.text().$type<'documentation' | 'business'>().nullable(),
    /** What of a site is read, such as the key of a space or of a project; null where that is the whole of it. */
    place: p.text().fieldName('site_place').nullable(),
    /** When a site that tells nobody of its changes was last asked for them, and since when it does not answer. */
    lookedAt: p.datetime().nullable(),
    failingSince: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()').onCreate(() => new Date()),
  },
})
export type Repository = InferEntity<typeof Repository>

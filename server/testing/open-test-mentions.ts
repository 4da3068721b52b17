import { randomUUID } from 'node:crypto'
import { addRepository, findRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { createTestTenant } from '#db/testing/open-test-db.ts'
import { answer } from '../answer.ts'
import type { Question } from '../answer.ts'
import { readServerConfig } from '../config.ts'
import { answerMention } from '../github/mention.ts'
import type { MentionEvent } from '../github/mention-event.ts'
import { createPermissions } from '../github/permissions.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { createLog } from '../log.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { createExtractive } from '../models/extractive.ts'
import { lexicalEmbedders } from '../models/lexical.ts'
import { createGithubSource } from '../sources/github.ts'
import { createTellSettings } from '../tell-settings.ts'
import type { FakeRepository } from './fake-github/fake-repository.ts'
import type { Comment, Installation } from './fake-github/world.ts'
import type { TestGithub } from './open-test-github.ts'

type Place = { fake: FakeRepository; row: Repository }

/** An installation with its tenant, and what answers mentions in its repositories. `text` is all that a model was given. */
export async function openTestMentions({ db, openApp, install, github }: TestGithub, options: { model?: ChatModel } = {}) {
  const tenant = await createTestTenant(db)
  const { installation } = await install({ tenant })
  let time = Date.now()
  const now = () => time
  const app = openApp()
  const log = createLog({ level: 'silent', process: 'test' })
  const permissions = createPermissions(app, { now })
  const model = options.model ?? createExtractive()
  const models = { dev: [model], pm: [model], architect: [model] }
  const asked: Question[] = []
  const parts = {
    db,
    app,
    permissions,
    tellSettings: createTellSettings({ db, config: readServerConfig({}) }),
    answer: (...[of, question, signal]: [typeof tenant, Question, AbortSignal]) => {
      asked.push(question)
      return answer({ db, embedders: lexicalEmbedders, models, log }, of, question, signal)
    },
  }

  /** A repository that is indexed as it stands. */
  async function add(name: string, files: Record<string, string>, more: { private?: boolean } & Partial<Pick<Repository, 'audience' | 'settings'>> = {}): Promise<Place> {
    const { private: isPrivate = true, audience = 'tenant', settings = null } = more
    const fake = await github.addRepository({ installation, name, private: isPrivate, files })
    const row = await addRepository(tenant, {
      name: fake.fullName, source: 'github', location: fake.fullName, isPublic: !isPrivate, audience,
      externalId: fake.id, installationId: installation.id, settings,
    } as Parameters<typeof addRepository>[1])
    await indexSource({ embedders: lexicalEmbedders, log }, tenant, row, createGithubSource(app, row))
    return { fake, row: (await findRepository(tenant, row.id))! }
  }

  /** Runs once for a comment that names Nura. `kept` is what the run before had kept. */
  async function run(event: MentionEvent, kept: { delivery: unknown } = { delivery: null }, more: { lastAttempt?: boolean; signal?: AbortSignal } = {}): Promise<string> {
    const { lastAttempt = false, signal = new AbortController().signal } = more
    const save = async (delivery: unknown) => void (kept.delivery = structuredClone(delivery))
    return answerMention(parts, tenant, { event, inboxId: randomUUID(), delivery: kept.delivery, save, signal, lastAttempt, log })
  }

  return { tenant, installation, app, asked, add, run, pass: (ms: number) => void (time += ms), toEvent: (...of: Spoken) => toEvent(installation, ...of) }
}

type Spoken = [fake: FakeRepository, surface: MentionEvent['surface'], number: number, comment: Comment]

/** A comment as a delivery tells of it. */
function toEvent(installation: Installation, ...[fake, surface, number, comment]: Spoken): MentionEvent {
  return {
    kind: 'mention',
    installationId: installation.id,
    externalId: fake.id,
    repository: fake.fullName,
    isPrivate: fake.private,
    surface,
    number,
    commentId: comment.id,
    rootId: surface === 'review' ? (comment.review?.rootId ?? comment.id) : null,
    author: { id: comment.user.id, login: comment.user.login, type: comment.user.type },
    body: comment.body,
    url: `https://github.com/${fake.fullName}/issues/${number}#issuecomment-${comment.id}`,
  }
}

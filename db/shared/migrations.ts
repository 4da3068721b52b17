/** Hand-written, in order, never edited once released: a change is a new entry. Run by `migrate` with `nura` as the schema. */
export type Migration = { name: string; sql: string }

export const controlMigrations: Migration[] = [
  {
    name: '0001-control-plane',
    sql: `
      create table tenant (
        id uuid primary key,
        slug text not null unique,
        name text not null,
        schema_name text not null unique,
        cluster text not null default 'default',
        created_at timestamptz not null default now()
      );
      create table inbox (
        id uuid primary key,
        tenant_id uuid not null references tenant on delete cascade,
        surface text not null,
        kind text not null,
        event_key text not null unique,
        thread_key text not null,
        payload jsonb not null,
        delivery jsonb,
        state text not null default 'accepted' check (state in ('accepted', 'running', 'done', 'failed')),
        attempts integer not null default 0,
        outcome text,
        error text,
        sequence bigint generated always as identity,
        received_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        done_at timestamptz
      );
      create index inbox_unfinished on inbox (updated_at) where state in ('accepted', 'running');
      create index inbox_thread on inbox (thread_key, sequence);
      create index inbox_tenant on inbox (tenant_id);
      create index inbox_done on inbox (done_at) where done_at is not null;
      create table reader (
        tenant_id uuid not null references tenant on delete cascade,
        kind text not null check (kind in ('channel', 'person')),
        id text not null,
        surface text not null,
        seen_at timestamptz not null default now(),
        primary key (tenant_id, kind, id)
      );
      create table slack_installation (
        id uuid primary key,
        tenant_id uuid not null references tenant on delete cascade,
        team_id text,
        enterprise_id text,
        installation jsonb not null,
        bot_token text not null,
        bot_user_id text not null,
        installed_at timestamptz not null default now(),
        uninstalled_at timestamptz,
        check (team_id is not null or enterprise_id is not null)
      );
      create unique index slack_installation_place on slack_installation (coalesce(team_id, ''), coalesce(enterprise_id, ''));
      create table slack_oauth_state (
        id text primary key,
        expires_at timestamptz not null
      );
      create table slack_channel (
        tenant_id uuid not null references tenant on delete cascade,
        channel_id text not null,
        approved_by text not null,
        approved_at timestamptz not null default now(),
        primary key (tenant_id, channel_id)
      );
    `,
  },
  {
    name: '0002-workspace',
    sql: `
      create table workspace (
        surface text not null,
        id text not null,
        tenant_id uuid not null references tenant on delete cascade,
        primary key (surface, id)
      );
    `,
  },
  {
    name: '0003-github',
    sql: `
      create table github_installation (
        id bigint primary key,
        tenant_id uuid not null references tenant on delete cascade,
        account text not null,
        account_id bigint,
        state text not null default 'active' check (state in ('active', 'suspended', 'deleted')),
        blocked_until timestamptz,
        swept_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      );
      create index github_installation_tenant on github_installation (tenant_id);
      create table github_state (
        id text primary key,
        tenant_id uuid not null references tenant on delete cascade,
        purpose text not null check (purpose in ('installation', 'person')),
        reader text,
        expires_at timestamptz not null
      );
      create table github_person (
        tenant_id uuid not null references tenant on delete cascade,
        reader text not null,
        github_id bigint not null,
        login text not null,
        linked_at timestamptz not null default now(),
        primary key (tenant_id, reader)
      );
      create index inbox_answer on inbox ((delivery->>'answerId')) where delivery ? 'answerId';
    `,
  },
  {
    name: '0004-traceparent',
    sql: 'alter table inbox add column traceparent text;',
  },
  {
    name: '0005-teams',
    sql: `
      create table teams_installation (
        directory_id text not null,
        scope_id text not null,
        tenant_id uuid not null references tenant on delete cascade,
        bot_id text,
        service_url text,
        installed_at timestamptz,
        removed_at timestamptz,
        primary key (directory_id, scope_id),
        check (installed_at is null or (bot_id is not null and service_url is not null))
      );
      create index teams_installation_tenant on teams_installation (tenant_id);
      create table teams_channel (
        directory_id text not null,
        channel_id text not null,
        tenant_id uuid not null references tenant on delete cascade,
        team_id text not null,
        group_id text,
        primary key (directory_id, channel_id)
      );
      create index teams_channel_tenant on teams_channel (tenant_id);
    `,
  },
  {
    // A tenant's own data keys, wrapped by a master key; that it is being deleted, and the receipt that outlives it.
    name: '0006-tenant-keys',
    sql: `
      create table tenant_key (
        id uuid primary key,
        tenant_id uuid not null references tenant on delete cascade,
        wrapped bytea not null,
        wrapped_by text not null,
        created_at timestamptz not null default now(),
        retired_at timestamptz
      );
      create unique index tenant_key_live on tenant_key (tenant_id) where retired_at is null;
      create index tenant_key_tenant on tenant_key (tenant_id);
      alter table tenant add column closing_at timestamptz;
      create table offboarding (
        tenant_id uuid primary key,
        begun_at timestamptz not null default now(),
        ended_at timestamptz,
        steps jsonb not null default '[]'
      );
      create index offboarding_open on offboarding (begun_at) where ended_at is null;
    `,
  },
  {
    // What `migrate` did before this one; its name tells processes that need it whether it was done.
    name: '0007-owner-role',
    sql: `comment on schema nura is 'Control plane. Owned by nura_owner; a session of the login reads it as nura_control only.';`,
  },
]

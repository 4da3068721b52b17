import type { Migration } from '../shared/migrations.ts'

/**
 * Hand-written, in order, never edited once released. Run once in every tenant's schema.
 *
 * `lex` holds hashed terms (see `terms.ts`) and only finds candidates; `sparse` holds their BM25 weights. Indexes of
 * `knowledge_base` are partial on live rows and touch no column that a rename changes, so that a rename stays a HOT update.
 * HNSW indexes are one for each embedding space and made by `endBulk`.
 */
export const tenantMigrations: Migration[] = [
  {
    name: '0001-tenant',
    sql: `
      create table repository (
        id uuid primary key,
        name text not null unique,
        source text not null,
        location text not null,
        url text,
        default_branch text,
        audience text not null default 'tenant' check (audience in ('tenant', 'granted')),
        is_public boolean not null default false,
        indexed_sha text,
        indexed_at timestamptz,
        state text not null default 'new' check (state in ('new', 'indexing', 'ready', 'failed', 'forgetting')),
        error text,
        created_at timestamptz not null default now()
      );
      create table source_grant (
        repository_id uuid not null references repository on delete cascade,
        reader_kind text not null check (reader_kind in ('channel', 'person')),
        reader_id text not null,
        granted_at timestamptz not null default now(),
        primary key (repository_id, reader_kind, reader_id)
      );
      create table file (
        id uuid primary key,
        repository_id uuid not null references repository on delete cascade,
        path text not null,
        stem text not null,
        blob_sha text not null,
        size integer,
        language text,
        content_type text not null check (content_type in ('code', 'documentation', 'business')),
        skip_reason text,
        chunker_version integer not null,
        pending_sha text,
        lex tsvector,
        sparse sparsevec(1000000000),
        token_length integer not null default 0,
        mean_length real not null default 0,
        updated_at timestamptz not null default now(),
        unique (repository_id, path)
      ) with (fillfactor = 85);
      create index file_stem on file (repository_id, stem);
      create index file_lex on file using gin (lex) with (fastupdate = off);
      create table knowledge_base (
        id uuid primary key,
        content text not null,
        content_type text not null check (content_type in ('code', 'documentation', 'business')),
        source_path text not null,
        repository_id uuid not null references repository on delete cascade,
        embedding vector(1024) not null,
        metadata jsonb not null default '{}',
        embedding_model text not null,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        file_id uuid,
        chunk_key text not null,
        ordinal integer not null,
        start_line integer not null,
        end_line integer not null,
        scope text[] not null default '{}',
        token_length integer not null,
        mean_length real not null,
        lex tsvector not null,
        sparse sparsevec(1000000000) not null,
        gone_at timestamptz
      ) with (fillfactor = 85);
      create index knowledge_base_file on knowledge_base (file_id) where gone_at is null;
      create index knowledge_base_key on knowledge_base (embedding_model, chunk_key);
      create index knowledge_base_repository on knowledge_base (repository_id);
      create index knowledge_base_lex on knowledge_base using gin (lex) with (fastupdate = off) where gone_at is null;
      create index knowledge_base_gone on knowledge_base (gone_at) where gone_at is not null;
      create table symbol (
        id bigint generated always as identity primary key,
        repository_id uuid not null references repository on delete cascade,
        file_id uuid not null references file on delete cascade,
        name text not null,
        name_lower text not null,
        container text,
        kind text not null,
        signature text not null,
        doc text,
        start_line integer not null,
        end_line integer not null
      );
      create index symbol_file on symbol (file_id);
      create index symbol_name on symbol using hash (name_lower);
      create index symbol_repository on symbol (repository_id);
      create table edge (
        id bigint generated always as identity primary key,
        repository_id uuid not null references repository on delete cascade,
        file_id uuid not null references file on delete cascade,
        from_symbol text,
        kind text not null check (kind in ('import', 'call', 'reference', 'test')),
        target text not null,
        line integer not null
      );
      create index edge_file on edge (file_id);
      create index edge_target on edge using hash (target);
      create index edge_repository on edge (repository_id);
      create table term (
        hash integer primary key,
        chunks integer not null,
        files integer not null
      ) with (fillfactor = 70);
      create table corpus (
        id boolean primary key default true check (id),
        chunks integer not null default 0,
        files integer not null default 0,
        chunk_tokens bigint not null default 0,
        file_tokens bigint not null default 0,
        mean_chunk_length real not null default 0,
        mean_file_length real not null default 0,
        index_version bigint not null default 0,
        active_space text
      );
      insert into corpus default values;
      create table thread (
        id uuid primary key,
        key text not null unique,
        surface text not null,
        subscribed boolean not null default false,
        muted boolean not null default false,
        agent text,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        expires_at timestamptz not null
      );
      create table answer (
        id uuid primary key,
        thread_id uuid references thread on delete cascade,
        asker text not null,
        question text not null,
        agent text not null,
        markdown text not null,
        abstained boolean not null,
        citations jsonb not null default '[]',
        trace jsonb not null default '{}',
        usage jsonb not null default '{}',
        created_at timestamptz not null default now(),
        expires_at timestamptz not null
      );
      create index answer_thread on answer (thread_id, created_at);
      create index answer_expires on answer (expires_at);
      create table cited_chunk (
        answer_id uuid not null references answer on delete cascade,
        n integer not null,
        chunk_id uuid not null,
        chunk_key text not null,
        primary key (answer_id, n)
      );
      create table feedback (
        answer_id uuid not null references answer on delete cascade,
        given_by text not null,
        verdict text not null check (verdict in ('up', 'down')),
        reason text,
        created_at timestamptz not null default now(),
        primary key (answer_id, given_by)
      );
      create table model_call (
        id uuid primary key,
        answer_id uuid references answer on delete set null,
        agent text not null,
        provider text not null,
        model text not null,
        outcome text not null,
        input_tokens integer not null default 0,
        output_tokens integer not null default 0,
        cost_usd double precision not null default 0,
        milliseconds integer not null default 0,
        created_at timestamptz not null default now()
      );
      create index model_call_created on model_call (created_at);
    `,
  },
  {
    name: '0002-github',
    sql: `
      alter table repository
        add column external_id bigint unique,
        add column installation_id bigint,
        add column head_sha text,
        add column settings jsonb,
        add column settings_sha text,
        add column settings_fault text,
        add column settings_told_sha text,
        drop constraint repository_audience_check,
        add constraint repository_audience_check check (audience in ('tenant', 'granted', 'github'));
      create table source_file (
        repository_id uuid not null references repository on delete cascade,
        path text not null,
        blob_sha text not null,
        content text not null,
        primary key (repository_id, path)
      );
      create table pull_request (
        repository_id uuid not null references repository on delete cascade,
        number integer not null,
        head_sha text not null,
        state text not null default 'open' check (state in ('open', 'closed')),
        draft boolean not null default false,
        skipped boolean not null default false,
        author text not null default '',
        marker uuid not null default gen_random_uuid(),
        comment_id bigint,
        comment_gone_sha text,
        summarised_sha text,
        summary jsonb,
        failed_sha text,
        failure text,
        run_started_at timestamptz,
        updated_at timestamptz not null default now(),
        primary key (repository_id, number)
      );
      alter table answer add column changed_sha text, add column changed_at timestamptz, add column told_at timestamptz;
      create index answer_untold on answer (changed_at) where changed_at is not null and told_at is null;
      create index answer_asker on answer (asker, created_at);
      create index cited_chunk_chunk on cited_chunk (chunk_id);
    `,
  },
  {
    // A renamed folder updates each of its chunks once. Only where the page has room for the second version does that leave the
    // indexes alone; the vectors, which are most of the table, stand elsewhere and take no more room than before.
    name: '0003-room-for-renames',
    sql: 'alter table knowledge_base set (fillfactor = 45);',
  },
  {
    // True where a model broke off before it said what it used, and the tokens were counted from the text.
    name: '0004-estimated-calls',
    sql: 'alter table model_call add column estimated boolean not null default false;',
  },
  {
    // Vectors of another space beside those in use, until the two change places; see `switch-space.ts`. No index lies on these
    // columns while they are filled, so that filling a row is an update in place.
    name: '0005-next-space',
    sql: `
      alter table knowledge_base add column next_embedding vector(1024), add column next_model text, add column next_key text;
      alter table corpus add column next_space text, add column next_stale boolean not null default false;
    `,
  },
  {
    // Sources whose files are documents: pages and issues of a site that is asked now and then, and what people upload. Uploaded
    // bytes lie in pieces, so that no statement carries a whole document, and only until their text is read.
    name: '0006-documents',
    sql: `
      alter table repository
        add column content_type text check (content_type in ('documentation', 'business')),
        add column site_place text,
        add column credentials text,
        add column looked_at timestamptz,
        add column failing_since timestamptz;
      alter table file add column title text, add column url text, add column changed_at timestamptz;
      create table document (
        id uuid primary key,
        repository_id uuid not null references repository on delete cascade,
        name text not null,
        title text not null,
        url text,
        content_type text not null check (content_type in ('documentation', 'business')),
        media_type text not null,
        size integer not null,
        sha text not null,
        state text not null default 'stored' check (state in ('stored', 'ready', 'partial', 'failed')),
        error text,
        pages integer,
        faults jsonb not null default '[]',
        text text,
        text_sha text,
        attempts integer not null default 0,
        created_at timestamptz not null default now(),
        changed_at timestamptz not null default now(),
        unique (repository_id, name)
      );
      create index document_stored on document (changed_at) where state = 'stored';
      create index document_text on document (repository_id, text_sha);
      create table document_piece (
        document_id uuid not null references document on delete cascade,
        ordinal integer not null,
        bytes bytea not null,
        primary key (document_id, ordinal)
      );
    `,
  },
  {
    // What happened in repositories, for counting. `updated_at` is the source's own time of a row: a row never goes back behind it.
    // Whatever belongs to a repository goes with it. What reviews say of a pull request is kept ready beside it: see `rememberReviews`.
    name: '0007-activity',
    sql: `
      create table activity_pull (
        repository_id uuid not null references repository on delete cascade,
        number integer not null,
        title text not null,
        author text not null,
        is_bot boolean not null,
        state text not null check (state in ('open', 'closed')),
        draft boolean not null,
        created_at timestamptz not null,
        merged_at timestamptz,
        closed_at timestamptz,
        updated_at timestamptz not null,
        ready_at timestamptz,
        pushed_at timestamptz,
        base_ref text not null,
        head_ref text not null,
        labels text[] not null,
        milestone text,
        requested_reviewers text[] not null,
        requested_teams text[] not null,
        url text,
        reviews_read_for timestamptz,
        first_reviewed_at timestamptz,
        last_reviewed_at timestamptz,
        sent_back boolean not null default false,
        primary key (repository_id, number)
      );
      create index activity_pull_merged on activity_pull (repository_id, merged_at) include (author, is_bot, created_at, first_reviewed_at) where merged_at is not null;
      create index activity_pull_created on activity_pull (repository_id, created_at);
      create index activity_pull_closed on activity_pull (repository_id, closed_at) where closed_at is not null;
      create index activity_pull_open on activity_pull (repository_id, created_at) where state = 'open';
      create index activity_pull_unread on activity_pull (repository_id, updated_at) where reviews_read_for is distinct from updated_at;
      create table activity_issue (
        repository_id uuid not null references repository on delete cascade,
        number integer not null,
        title text not null,
        author text not null,
        is_bot boolean not null,
        state text not null check (state in ('open', 'closed')),
        created_at timestamptz not null,
        closed_at timestamptz,
        updated_at timestamptz not null,
        labels text[] not null,
        milestone text,
        url text,
        primary key (repository_id, number)
      );
      create index activity_issue_created on activity_issue (repository_id, created_at);
      create index activity_issue_closed on activity_issue (repository_id, closed_at) where closed_at is not null;
      create index activity_issue_open on activity_issue (repository_id, created_at) where state = 'open';
      create table activity_review (
        repository_id uuid not null references repository on delete cascade,
        id bigint not null,
        number integer not null,
        author text not null,
        is_bot boolean not null,
        verdict text not null check (verdict in ('approved', 'changes-requested', 'commented', 'dismissed')),
        submitted_at timestamptz not null,
        of_other boolean not null default false,
        primary key (repository_id, id)
      );
      create index activity_review_pull on activity_review (repository_id, number, submitted_at);
      create index activity_review_submitted on activity_review (repository_id, submitted_at) include (author, is_bot) where of_other;
      create table activity_release (
        repository_id uuid not null references repository on delete cascade,
        id bigint not null,
        tag text not null,
        name text not null,
        author text not null,
        is_bot boolean not null,
        prerelease boolean not null,
        published_at timestamptz not null,
        updated_at timestamptz not null,
        url text,
        primary key (repository_id, id)
      );
      create index activity_release_published on activity_release (repository_id, published_at);
      create table activity_deployment (
        repository_id uuid not null references repository on delete cascade,
        id bigint not null,
        environment text not null,
        ref text not null,
        author text not null,
        is_bot boolean not null,
        state text not null check (state in ('waiting', 'succeeded', 'failed', 'inactive')),
        created_at timestamptz not null,
        ended_at timestamptz,
        updated_at timestamptz not null,
        primary key (repository_id, id)
      );
      create index activity_deployment_created on activity_deployment (repository_id, created_at);
      create index activity_deployment_environment on activity_deployment (repository_id, environment, created_at desc, id desc) where state <> 'waiting';
      create table activity_team (
        org text not null,
        slug text not null,
        member text not null,
        primary key (org, slug, member)
      );
      create table activity_teams (
        org text primary key,
        read_at timestamptz not null,
        fault text
      );
      create table activity_history (
        repository_id uuid primary key references repository on delete cascade,
        pulls_page integer not null default 1,
        pulls_complete boolean not null default false,
        pulls_until timestamptz,
        issues_complete boolean not null default false,
        issues_until timestamptz,
        releases_complete boolean not null default false,
        deployments_complete boolean not null default false,
        synced_at timestamptz,
        told_at timestamptz,
        fault text
      );
    `,
  },
  {
    // What an answer rests on, so that it can be told again for somebody else without another search.
    name: '0008-evidence',
    sql: 'alter table answer add column evidence jsonb;',
  },
  {
    // How an answer was asked for beside its words, so that a question whose answer did not help can be asked again for the same readers.
    name: '0009-asked',
    sql: 'alter table answer add column asked jsonb;',
  },
  {
    // Commits of syncs that have not ended. A file keeps the commit that it was last written at (`pending_sha`); it is cited at that while
    // the commit is listed here, and at the one that the index equals from then on, without its row being written again.
    name: '0010-unfinished-syncs',
    sql: `
      alter table repository add column unfinished_shas text[] not null default '{}';
      update repository set unfinished_shas = array(select distinct pending_sha from file where repository_id = repository.id and pending_sha is not null);
    `,
  },
  {
    // By which rules the index of a repository equals the tree at `indexed_sha`; null while a sync changes it, and where no one knows:
    // the next sync then reads the whole tree instead of what differs from that one.
    name: '0011-indexed-rules',
    sql: 'alter table repository add column indexed_rules text;',
  },
  {
    // A hash index puts rows of one name into one chain of pages, which every further row of that name walks to its end: to write what
    // half a million chunks call took most of the time. Names may be longer than a B-tree takes, their hashes are not.
    name: '0012-names-by-hash',
    sql: `
      drop index symbol_name;
      create index symbol_name on symbol (hashtext(name_lower));
      drop index edge_target;
      create index edge_target on edge (hashtext(target));
    `,
  },
  {
    // A server indexes the halves of vectors (see `vector-index.ts`): readers go by the index that stands until the other is built, and writers wait.
    name: '0013-halves-of-vectors',
    sql: `
      do $$
      declare standing record;
      begin
        if version() like '%emscripten%' then return; end if;
        perform set_config('maintenance_work_mem', greatest(64 * 1024, least(chunks * 4, greatest(256 * 1024,
          pg_size_bytes(current_setting('maintenance_work_mem')) / 1024, pg_size_bytes(current_setting('shared_buffers')) / 2048))) || 'kB', true) from corpus;
        perform set_config('max_parallel_maintenance_workers', '0', true) from pg_extension where extname = 'vector' and string_to_array(extversion, '.')::int[] < array[0, 8, 4];
        for standing in
          select c.relname as name, a.attname as vector, pg_get_expr(i.indpred, i.indrelid) as predicate
          from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
          where i.indrelid = 'knowledge_base'::regclass and m.amname = 'hnsw'
        loop
          execute format('alter index %I rename to knowledge_base_whole', standing.name);
          execute format('create index %I on knowledge_base using hnsw ((%I::halfvec(1024)) halfvec_cosine_ops) with (m = 16, ef_construction = 64) where %s', standing.name, standing.vector, standing.predicate);
          drop index knowledge_base_whole;
        end loop;
      end $$;
    `,
  },
]

#!/bin/bash
# Installs PostgreSQL with pgvector, and Redis, from Debian's packages, where they are missing. Root, Debian 12 or newer.
# Debian 12 has no package of pgvector: there it is built from the source package of Debian 13, from the same mirror.
# Idempotent; quiet unless it fails. Starts no server: `npm test` starts private ones.
set -euo pipefail

PGVECTOR_SUITE=trixie
export DEBIAN_FRONTEND=noninteractive
# Package scripts ask invoke-rc.d, which asks this: level 1 starts no service.
export RUNLEVEL=1

fail() {
  printf 'install-stores: %s\n' "$*" >&2
  exit 1
}

# Runs a step with its output kept back, and shows the end of it if the step fails.
log=$(mktemp)
work=$(mktemp -d)
trap 'rm -rf "$log" "$work"' EXIT
quietly() {
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 30 "$log" >&2
  fail "this step failed: $*"
}

newest_postgres() { ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 | cut -d/ -f5 || true; }
has_vector() { [ -n "$1" ] && [ -f "/usr/share/postgresql/$1/extension/vector.control" ] && [ -f "/usr/lib/postgresql/$1/lib/vector.so" ]; }
has_redis() { command -v redis-server >/dev/null; }

if has_vector "$(newest_postgres)" && has_redis; then
  exit 0
fi
[ "$(id -u)" = 0 ] || fail 'PostgreSQL with pgvector, or Redis, is missing. Run this as root, or install them yourself.'
command -v apt-get >/dev/null || fail 'needs apt-get: install PostgreSQL, pgvector and Redis by hand on this system.'

quietly apt-get update

if ! has_redis; then
  echo 'install-stores: Redis'
  quietly apt-get install -y --no-install-recommends redis-server
fi

if [ -z "$(newest_postgres)" ]; then
  echo 'install-stores: PostgreSQL'
  quietly apt-get install -y --no-install-recommends postgresql-common
  # No cluster of the machine's own: it would only hold a port.
  sed -i 's/^#\? *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  quietly apt-get install -y --no-install-recommends postgresql
fi
pg=$(newest_postgres)
[ -n "$pg" ] || fail 'the package postgresql brought no initdb.'
has_vector "$pg" && exit 0

if apt-cache policy "postgresql-$pg-pgvector" | grep -q 'Candidate: [0-9]'; then
  echo 'install-stores: pgvector'
  quietly apt-get install -y --no-install-recommends "postgresql-$pg-pgvector"
  exit 0
fi

echo "install-stores: pgvector for PostgreSQL $pg, from the source package of Debian $PGVECTOR_SUITE"
quietly apt-get install -y --no-install-recommends "postgresql-server-dev-$pg" gcc make libc6-dev

# The mirror is the one this machine already uses for its own release.
release=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk -v release="$release" '$2 == release && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || fail "found no apt source for $release main to take the mirror from."

mkdir -p "$work/lists/partial" "$work/source"
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $PGVECTOR_SUITE main" >"$work/sources.list"
apart=(
  -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
  -o APT::Sandbox::User=root
)
quietly apt-get "${apart[@]}" update
cd "$work/source"
quietly apt-get "${apart[@]}" source --download-only pgvector
tar --extract --gzip --strip-components=1 --file "$(ls pgvector_*.orig.tar.gz)"
# OPTFLAGS empty: no -march=native, so that a build may be kept in an image.
quietly make OPTFLAGS= "PG_CONFIG=/usr/lib/postgresql/$pg/bin/pg_config"
quietly make OPTFLAGS= "PG_CONFIG=/usr/lib/postgresql/$pg/bin/pg_config" install
has_vector "$pg" || fail 'pgvector was built but is not where PostgreSQL looks for it.'

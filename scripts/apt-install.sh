#!/bin/sh
# Installs Debian packages, as root or with sudo. Where somebody else is installing something, it waits for its turn.
#
#     sh scripts/apt-install.sh curl jq
set -eu
PATIENCE_SECONDS=600
PAUSE_SECONDS=3

as_root=''
[ "$(id -u)" = 0 ] || as_root='sudo'
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

# apt itself waits for dpkg's lock, but not for those of its own lists and archives.
apt() {
  waited=0
  until $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
    apt-get -qq -o DPkg::Lock::Timeout="$PATIENCE_SECONDS" "$@" >/dev/null 2>"$errors"; do
    if ! grep -q 'Could not get lock' "$errors" || [ "$waited" -ge "$PATIENCE_SECONDS" ]; then
      cat "$errors" >&2
      exit 1
    fi
    sleep "$PAUSE_SECONDS"
    waited=$((waited + PAUSE_SECONDS))
  done
  cat "$errors" >&2
}

apt update
apt install -y --no-install-recommends "$@"

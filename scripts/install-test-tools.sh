#!/bin/sh
# What the tests need of the system: Debian's own Chromium, which decodes H.264 and AAC, for the pages; curl and jq for
# the examples of docs/api.md; Debian's ffmpeg, which must do as well as the one that npm installs, and whose segments must mix
# with those of that one. Nothing to do where they are.
set -eu
missing=''
for tool in chromium curl jq ffmpeg; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need these on the PATH; please install them:$missing" >&2
  exit 1
fi
echo "Installing$missing for the tests …" >&2
# shellcheck disable=SC2086 # each is a word
sh "$(dirname "$0")/apt-install.sh" $missing

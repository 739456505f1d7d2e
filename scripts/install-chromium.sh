#!/bin/sh
# The browser tests run in Debian's own Chromium, which decodes H.264 and AAC. Nothing to do where it is.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo 'The browser tests need a "chromium" on the PATH; please install one.' >&2
  exit 1
fi
as_root=''
[ "$(id -u)" = 0 ] || as_root='sudo'
echo 'Installing chromium for the browser tests …' >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install -y -qq --no-install-recommends chromium >/dev/null

#!/bin/sh
# Whether the arm64 layer's ffmpeg and ffprobe run and encode, on a machine of any kind: under qemu-user if need be.
#
#     sh scripts/check-arm64-layer.sh
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH" # Node 24

emulator=
if [ "$(uname -m)" != aarch64 ] && [ "$(uname -m)" != arm64 ]; then
  emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
  if [ -z "$emulator" ]; then
    echo 'skipped: this machine is no arm64, and qemu-aarch64 is not installed (Debian: apt-get install qemu-user-static)'
    exit 0
  fi
fi

layer=$(mktemp -d)
trap 'rm -rf "$layer"' EXIT
node -e "
  const { FFMPEG_PACKAGES, unpackFfmpeg } = await import('./lib/ffmpeg-packages.ts');
  unpackFfmpeg(FFMPEG_PACKAGES.arm64, process.argv[1]);
" "$layer"

for binary in ffmpeg ffprobe; do
  env -i $emulator "$layer/$binary" -version | head -n 1
done

# One second of what every rung is made with: x264 and AAC into MPEG-TS.
env -i $emulator "$layer/ffmpeg" -v error -nostdin -y \
  -f lavfi -i testsrc2=size=640x360:rate=25:duration=1 -f lavfi -i sine=sample_rate=48000:duration=1 \
  -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac -f mpegts "$layer/second.ts"
pictures=$(env -i GCONV_PATH=/nonexistent LC_ALL=C $emulator "$layer/ffprobe" -v error -select_streams v -count_frames \
  -show_entries stream=nb_read_frames -of csv=p=0 "$layer/second.ts" | head -n 1 | tr -d ,)
if [ "$pictures" != 25 ]; then
  echo "failed: a second of 25 pictures has $pictures after encoding" >&2
  exit 1
fi
echo 'ok: encodes a second of video and sound'

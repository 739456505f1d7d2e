#!/usr/bin/env bash
# Whether the contract of the embedded S3 holds of one we did not write: Ceph's radosgw, on a scratch cluster of
# one monitor and one OSD in memory, on the loopback, in a temporary directory.
#
#     bash scripts/s3-contract-radosgw.sh
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:/usr/sbin:/sbin:$PATH" # Node 24

have() { command -v "$1" >/dev/null 2>&1; }

if ! have ceph-mon || ! have ceph-osd || ! have radosgw; then
  if ! have apt-get; then
    echo 'skipped: radosgw is not installed, and there is no apt-get to install it with (Debian: ceph-mon ceph-osd radosgw)'
    exit 0
  fi
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    echo 'skipped: radosgw is not installed, and installing it takes root (apt-get install ceph-mon ceph-osd radosgw)'
    exit 0
  fi
  echo 'Installing radosgw …' >&2
  sh scripts/apt-install.sh ceph-mon ceph-osd radosgw
fi

cluster=$(mktemp -d)
pids=()
end() {
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done # nothing in there is worth a farewell
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$cluster"
}
trap end EXIT
trap 'exit 130' INT TERM

start() { # <name> <command …>, in the foreground of its own log
  local name=$1
  shift
  "$@" >"$cluster/$name.out" 2>&1 &
  pids+=($!)
}

# Fails with what the cluster said once a daemon has ended, or after two minutes.
await() { # <what is awaited> <command that succeeds then …>
  local what=$1 deadline=$((SECONDS + 120)) pid
  shift
  until "$@" >/dev/null 2>&1; do
    for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || deadline=0; done
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "failed: the scratch cluster has no $what" >&2
      tail -n 20 "$cluster"/*.out "$cluster"/*.log >&2 || true
      exit 1
    fi
    sleep 0.3
  done
}

read -r mon_port rgw_port < <(node -e "
  const { createServer } = require('node:net');
  const servers = [0, 0].map(() => createServer().listen(0, '127.0.0.1'));
  Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve)))).then(() => {
    console.log(servers.map((server) => server.address().port).join(' '));
    servers.forEach((server) => server.close());
  });
")
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
access_key=contract
secret_key=$(cat /proc/sys/kernel/random/uuid)

export CEPH_CONF="$cluster/ceph.conf"
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon_port]
public network = 127.0.0.0/8
run dir = $cluster
admin socket = $cluster/\$name.asok
log file = $cluster/\$name.log
debug ms = 0
# Nobody but us reaches the loopback, and nothing here outlives the run.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc # radosgw wants to encrypt, which takes keys
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
mon allow pool size one = true
osd crush chooseleaf type = 0
[mon.a]
mon data = $cluster/mon
# The disk it stands on may be as full as it likes.
mon data avail crit = 0
mon data avail warn = 0
[osd]
osd data = $cluster/osd
osd objectstore = memstore
memstore device bytes = 2147483648
[client.radosgw]
rgw frontends = beast endpoint=127.0.0.1:$rgw_port
rgw run sync thread = false
rgw enable usage log = false
CONF

mkdir "$cluster/mon" "$cluster/osd"
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" "$cluster/monmap" >/dev/null
ceph-mon -i a --mkfs --monmap "$cluster/monmap" >"$cluster/mkfs.out" 2>&1
start mon ceph-mon -i a -f
await 'monitor' timeout 10 ceph status
id=$(timeout 60 ceph osd new "$osd")
ceph-osd -i "$id" --mkfs --osd-uuid "$osd" >>"$cluster/mkfs.out" 2>&1
start osd ceph-osd -i "$id" -f
await 'OSD' bash -c "timeout 10 ceph osd stat | grep -q '1 up'"
timeout 120 radosgw-admin user create --uid=contract --display-name=contract \
  --access-key="$access_key" --secret-key="$secret_key" >/dev/null 2>"$cluster/user.out"
start radosgw radosgw -n client.radosgw -f
await 'radosgw' node -e "fetch('http://127.0.0.1:$rgw_port/').catch(() => process.exit(1))"

status=0
S3_CONTRACT_ENDPOINT="http://127.0.0.1:$rgw_port" S3_CONTRACT_SERVER=radosgw AWS_REGION=us-east-1 \
  AWS_ACCESS_KEY_ID=$access_key AWS_SECRET_ACCESS_KEY=$secret_key \
  NODE_OPTIONS='--experimental-vm-modules --disable-warning=ExperimentalWarning' \
  jest test/local/s3-contract.test.ts "$@" || status=$?
exit "$status"

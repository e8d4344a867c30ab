#!/bin/sh
# Prints what tells most about a cluster that misbehaves. Each part may fail, and the next goes on.

show() {
  echo "=== $*"
  timeout 20 "$@" 2>&1
}

data=${SANDKUBE_DATA:-}
if [ -z "$data" ]; then
  if [ "$(id -u)" = 0 ]; then data=/var/lib/sandkube; else data=~/.local/share/sandkube; fi
fi

show ps -ewwo pid,ppid,stat,etimes,rss,args
if [ -n "$(find "$data" -name control.sock 2>/dev/null)" ]; then
  show sandkube status
  show sandkube kubectl get pods -A -o wide
  show sandkube kubectl describe pods
  show sandkube kubectl get events --sort-by=.lastTimestamp
fi
find "$data" -path '*logs/*.log' -not -path '*/node/*' 2>/dev/null | sort | while read -r log; do
  show tail -n 40 "$log"
done

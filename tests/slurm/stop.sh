#!/bin/sh
# tests/slurm/stop.sh DIR   ends the Slurm that start.sh has started there.
dir=$1
for pid in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
  if [ -f "$pid" ]; then kill "$(cat "$pid")" 2>/dev/null; fi
done
exit 0

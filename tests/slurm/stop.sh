#!/bin/sh
# tests/slurm/stop.sh DIR   ends the Slurm that start.sh has started there, and what it runs.
dir=$1
SLURM_CONF="$dir/slurm.conf" timeout 5 scancel --me >/dev/null 2>&1
for n in n1 n2 n3; do "$(dirname "$0")/kill_tasks.sh" "$dir" "$n" >/dev/null; done
for pid in "$dir"/slurmd.*.pid "$dir/slurmctld.pid" "$dir/munge/pid"; do
  if [ -f "$pid" ]; then kill "$(cat "$pid")" 2>/dev/null; fi
done
exit 0

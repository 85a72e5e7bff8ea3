#!/bin/sh
# tests/slurm/start.sh DIR   a Slurm of three nodes on this machine, for tests: munged, slurmctld and three slurmd.
# All its files are in DIR; `export SLURM_CONF=DIR/slurm.conf` makes sbatch and the others use it. stop.sh ends it.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$dir/spool" "$dir/state" "$dir/munge"
dir=$(cd "$dir" && pwd)
port=$((20000 + $$ % 20000))
cpus=$(nproc)
host=$(hostname -s)

chmod 700 "$dir/munge"
head -c 1024 /dev/urandom >"$dir/munge/key"
chmod 600 "$dir/munge/key"
munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
  --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"

cat >"$dir/slurm.conf" <<CONF
ClusterName=alignedcut
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
SlurmctldPort=$port
StateSaveLocation=$dir/state
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdSpoolDir=$dir/spool/%n
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmdLogFile=$dir/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,kill_invalid_depend
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
ReturnToService=2
# With an epilog a node tells the controller that a task has ended, which fills its place at once; without, within a second.
Epilog=/bin/true
SlurmdTimeout=10
SlurmctldTimeout=10
InactiveLimit=0
KillWait=2
MessageTimeout=10
MinJobAge=3600
CONF
for n in 1 2 3; do
  echo "NodeName=n$n NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + n)) CPUs=$cpus State=UNKNOWN"
done >>"$dir/slurm.conf"
echo "PartitionName=test Nodes=n[1-3] Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO" >>"$dir/slurm.conf"

export SLURM_CONF="$dir/slurm.conf"
slurmctld -c
for n in 1 2 3; do slurmd -N "n$n"; done

tries=0
until [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | wc -l)" -eq 3 ]; do
  tries=$((tries + 1))
  if [ "$tries" -gt 120 ]; then
    echo "Slurm has not come up in a minute; the logs are in $dir." >&2
    sinfo >&2 || true
    "$here/stop.sh" "$dir"
    exit 1
  fi
  sleep 0.5
done

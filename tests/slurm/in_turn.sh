#!/bin/sh
# tests/slurm/in_turn.sh DIR   Slurm's commands without Slurm, in DIR: `PATH=DIR:$PATH ./run reproduce --slurm …` then runs every
# task of a stage as it is submitted, one after the other, where sbatch would have put it in the queue. A task that fails ends that.
set -eu
mkdir -p "$1"
for command in squeue scontrol sinfo sacctmgr scancel; do
  printf '#!/bin/sh\nexit 0\n' >"$1/$command"
  chmod +x "$1/$command"
done
cat >"$1/sbatch" <<'SBATCH'
#!/bin/sh
script=$(mktemp)
trap 'rm -f "$script"' EXIT
cat >"$script"
log=$(sed -n 's/^#SBATCH --output="\{0,1\}\([^"]*\)"\{0,1\}\(.*\)$/\1\2/p' "$script")
for argument in "$@"; do
  case $argument in --array=*) array=$(echo "${argument#--array=}" | tr , ' ') ;; esac
done
for range in $array; do
  for task in $(seq "${range%-*}" "${range#*-}"); do
    if ! SLURM_ARRAY_TASK_ID=$task sh "$script" >>"$(echo "$log" | sed "s/%a/$task/")" 2>&1; then
      echo "sbatch: error: task $task of $(sed -n 's/^#SBATCH --job-name=alignedcut-//p' "$script") failed" >&2
      exit 1
    fi
  done
done
echo $$
SBATCH
chmod +x "$1/sbatch"

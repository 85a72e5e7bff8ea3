#!/bin/sh
# tests/slurm/kill_tasks.sh DIR NODE [STAGE]   kill -9 to the programs of all stages or one that a node of the Slurm in DIR
# runs, or any of its nodes; prints them. With "lost" as the stage all of Slurm on that node goes first, and then all
# programs: slurmd, the scripts of tasks and what watches these, as when a machine loses its power.
stage=${3:-}
killed() { kill -9 "$1" 2>/dev/null && echo "$1"; }
# Processes whose command line has a text: one grep for all, since a task may take no longer than a second.
processes() { grep -lsaF "$1" /proc/[0-9]*/cmdline | sed 's/\/cmdline$//'; }
if [ "$stage" = lost ]; then
  stage=
  killed "$(cat "$1/slurmd.$2.pid")"
  for process in $(processes "$1/spool/$2/job"); do
    killed "$(sed -n 's/^PPid:[[:space:]]*//p' "$process/status")"
    killed "${process#/proc/}"
  done
fi
for process in $(processes "slurm_step.ts"); do
  case "$(tr '\0' ' ' 2>/dev/null <"$process/cmdline")" in
    */deno\ *slurm_step.ts\ "$stage"*"$1/"*) ;;
    *) continue ;;
  esac
  if [ "$2" = any ] || tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx "SLURMD_NODENAME=$2"; then
    killed "${process#/proc/}"
  fi
done
exit 0

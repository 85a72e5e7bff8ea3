#!/bin/sh
# tests/slurm/kill_tasks.sh DIR NODE [STAGE]   kill -9 to the programs of all stages or one that a node of the Slurm in DIR
# runs; prints them. With "lost" as the stage all of Slurm on that node goes first, and then all programs: slurmd, the
# scripts of tasks and what watches these, as when a machine loses its power.
stage=${3:-}
killed() { kill -9 "$1" 2>/dev/null && echo "$1"; }
if [ "$stage" = lost ]; then
  stage=
  killed "$(cat "$1/slurmd.$2.pid")"
  for process in /proc/[0-9]*; do
    case "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" in
      *"$1/spool/$2/job"*)
        killed "$(sed -n 's/^PPid:[[:space:]]*//p' "$process/status")"
        killed "${process#/proc/}"
        ;;
    esac
  done
fi
for process in /proc/[0-9]*; do
  case "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" in
    */deno\ *slurm_step.ts\ "$stage"*"$1/"*) ;;
    *) continue ;;
  esac
  if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$2"; then killed "${process#/proc/}"; fi
done
exit 0

#!/bin/sh
# tests/slurm/kill_tasks.sh DIR NODE   kill -9 to the processes of stages that a node of the Slurm in DIR runs; prints them.
for process in /proc/[0-9]*; do
  case "$(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)" in
    */deno\ *slurm_step.ts*"$1/"*) ;;
    *) continue ;;
  esac
  if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -qx "SLURMD_NODENAME=$2"; then
    kill -9 "${process#/proc/}" && echo "${process#/proc/}"
  fi
done
exit 0

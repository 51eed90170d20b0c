#!/usr/bin/env bash
# scripts/sweep: a grid, the same again, more points, other options, a failure, a lock.
#   check.sh SWEEP PROGRAM
set -uo pipefail
sweep=$1
program=$2
if ! command -v snakemake >/dev/null; then
  echo "skipped: no snakemake here"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failures=0

# run EXPECTED_CODE ARGUMENTS...; what it says is in $folder/said.
run() {
  local expected=$1 code=0
  shift
  "$sweep" --xfq "$program" "$@" >"$folder/said" 2>&1 || code=$?
  if [[ $code != "$expected" ]]; then
    echo "sweep $*: exit code $code, expected $expected"
    cat "$folder/said"
    failures=$((failures + 1))
  fi
}
expect() {  # WHAT GOT EXPECTED
  [[ $2 == "$3" ]] && return
  echo "$1: got '$2', expected '$3'"
  failures=$((failures + 1))
}
values() { grep -o "\"$1\":[^,]*" "$folder/grid/results.ndjson" | cut -d: -f2 | tr '\n' ' '; }
jobs_run() { grep -cE '^rule run:' "$folder/said"; }

# Refused before any work.
run 2 "$folder/none" fake bitz=2
run 2 "$folder/none" fake bits=2,2
run 2 "$folder/none" fake bits=4..2
run 2 "$folder/none" fake bits
run 2 "$folder/none" fake bits=2 bits=4
run 2 "$folder/none" fake bits=2 -- --threads 2
run 2 "$folder/none" fke bits=2
expect "folder after a refusal" "$(ls "$folder")" said

# Four points, in the order of the grid; a flag; a value with a slash.
grid=("$folder/grid" fake steps=1..2 "weights_only=true,false")
run 0 "${grid[@]}" -- --corpus a/b
expect jobs "$(jobs_run)" 4
expect steps "$(values steps)" "1 1 2 2 "
expect flags "$(values weights_only)" "true false true false "
expect corpus "$(values corpus | cut -d' ' -f1)" '"a/b"'

# The same again has nothing to do; a lost result is made again, and no other.
run 0 "${grid[@]}" -- --corpus a/b
expect "jobs, again" "$(jobs_run)" 0
rm "$folder/grid/jobs/steps-2_weights-only-true.json"
run 0 "${grid[@]}" -- --corpus a/b
expect "jobs, one lost" "$(jobs_run)" 1

# More points run alone; other options run everything again.
run 0 "$folder/grid" fake steps=1..3 weights_only=true,false -- --corpus a/b
expect "jobs, more points" "$(jobs_run)" 2
expect "steps, more points" "$(values steps)" "1 1 2 2 3 3 "
run 0 "${grid[@]}" -- --corpus c
expect "jobs, another option" "$(jobs_run)" 4

# One job that fails does not stop the others, and leaves no file.
run 1 "$folder/failing" fake outcome=fine,diverge,nan
expect "results beside a failure" "$(ls "$folder/failing/jobs")" outcome-fine.json

# Two at once are refused.
exec 9>"$folder/grid/.lock"
flock 9
run 2 "${grid[@]}" -- --corpus c
exec 9>&-

echo "$failures failed"
[[ $failures == 0 ]]

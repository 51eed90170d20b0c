#!/usr/bin/env bash
# Runs the cases of one text file against a program.
#   run_cases.sh PROGRAM CASES.txt
#
# A case file holds, line by line:
#   # comment
#   $ a shell command; the program is called xfq in it
#   > a line of standard output
#   ! a line of standard error
#   = the exit code, 0 when not given
#   ? a command without which the file is skipped (exit code 77)
# {*} stands for any text, over several lines if need be. Without > or ! lines
# the stream must stay empty. All cases of a file share one fresh folder.
set -u
export LC_ALL=C.UTF-8
program=$(realpath "$1")
cases=$(realpath "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/work"
ln -s "$program" "$folder/bin/xfq"
PATH=$folder/bin:$PATH
unset NO_COLOR
export TERM=xterm
cd "$folder/work" || exit 1

command="" stdout="" stderr="" code=0 line_number=0 started=0
failures=0 count=0

# The text as a glob pattern, {*} as *.
pattern() {
  sed -e 's/[][*?\\()|!+@]/\\&/g' -e 's/{\\\*}/*/g' <<<"$1"
}

check() {
  local name=$1 got=$2 want=$3
  # shellcheck disable=SC2053
  if [[ $got != $(pattern "$want") ]]; then
    printf '%s:%d: $ %s\n--- expected %s\n%s\n--- got\n%s\n' \
      "$cases" "$started" "$command" "$name" "$want" "$got"
    failed=1
  fi
}

run_case() {
  [[ -z $command ]] && return
  local failed=0 got_code
  bash -c "$command" >"$folder/stdout" 2>"$folder/stderr" </dev/null
  got_code=$?
  check "standard output" "$(cat "$folder/stdout")" "${stdout%$'\n'}"
  check "standard error" "$(cat "$folder/stderr")" "${stderr%$'\n'}"
  check "exit code" "$got_code" "$code"
  count=$((count + 1))
  failures=$((failures + failed))
  command="" stdout="" stderr="" code=0
}

while IFS= read -r line || [[ -n $line ]]; do
  line_number=$((line_number + 1))
  case $line in
    '$ '*) run_case; command=${line#'$ '}; started=$line_number ;;
    '>'*) line=${line#'>'}; stdout+=${line# }$'\n' ;;
    '!'*) line=${line#'!'}; stderr+=${line# }$'\n' ;;
    '= '*) code=${line#'= '} ;;
    '? '*)
      if ! bash -c "${line#'? '}" >/dev/null 2>&1 </dev/null; then
        echo "skipped: '${line#'? '}' does not work here"
        exit 77
      fi
      ;;
    '#'* | '') ;;
    *) echo "$cases:$line_number: not a case line: $line"; exit 1 ;;
  esac
done <"$cases"
run_case
echo "$count cases, $failures failed"
[[ $count -gt 0 && $failures -eq 0 ]]

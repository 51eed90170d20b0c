#!/usr/bin/env bash
# Installs a build into a temporary folder, builds the consumer against it and runs it.
#   check_consumer.sh CMAKE BUILD CXX
set -euo pipefail
cmake=$1
build=$2
cxx=$3
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$cmake" --install "$build" --prefix "$folder/root" >"$folder/log" || { cat "$folder/log"; exit 1; }

# A page that nobody can read or a completion that a shell refuses is not installed.
root=$folder/root
for file in bin/xfq share/man/man1/xfq.1 share/xfq/schema/result.schema.json \
  share/bash-completion/completions/xfq share/fish/vendor_completions.d/xfq.fish \
  share/zsh/site-functions/_xfq include/xfq/core/record.h; do
  [[ -s $root/$file ]] || { echo "not installed: $file"; exit 1; }
done
"$root/bin/xfq" --version

# The installed tree may be moved: nothing in it names where it was built.
mv "$root" "$folder/moved"
if grep -rIl -e "$folder/root" -e "$(cd "$here/../.." && pwd)" "$folder/moved/lib"*/cmake; then
  echo "these files name the source tree or the first prefix"
  exit 1
fi
CXX=$cxx "$cmake" -S "$here/consumer" -B "$folder/build" -DCMAKE_PREFIX_PATH="$folder/moved" \
  >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
"$cmake" --build "$folder/build" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
"$folder/build/consumer"

# Another instruction set changes Eigen's alignment, and with it how memory is freed: refused.
if [[ $(uname -m) == x86_64 ]]; then
  CXX=$cxx CXXFLAGS=-mavx "$cmake" -S "$here/consumer" -B "$folder/avx" \
    -DCMAKE_PREFIX_PATH="$folder/moved" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
  if "$cmake" --build "$folder/avx" >"$folder/log" 2>&1 ||
    ! grep 'that xfq was built for' "$folder/log" >/dev/null; then
    echo "a consumer with -mavx was not refused"
    exit 1
  fi
fi

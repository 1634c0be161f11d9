#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# What ./dev does about packages, on machines made of fake programs.
# shellcheck disable=SC2016  # bodies of programs, not expanded here
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
mkdir "$room/bin" "$room/tree"
cp "$here/../../dev" "$room/tree"

fake() { # fake NAME: a program with the body on stdin, which says that it was called
  {
    printf '#!/bin/bash\necho "called: %s $*" >>%q\n' "$1" "$room/calls"
    cat
  } >"$room/bin/$1"
  chmod +x "$room/bin/$1"
}
fake cmake <<<'mkdir -p build/dev'
fake dpkg-query <<'BODY'
case " $MISSING " in *" ${!#} "*) exit 1 ;; *) printf installed ;; esac
BODY
fake apt-get <<'BODY'
[ "$1" = -s ] && { echo 'Inst x'; [ -z "$REMOVES" ] || echo "Remv $REMOVES [1.74]"; }
exit "${APT_STATUS:-0}"
BODY
fake id <<<'echo "${FAKE_UID:-0}"'
fake sudo <<<'exec "$@"'
fake g++ <<<'exit "${GXX_STATUS:-0}"'
fake ninja <<<''
fake pkg-config <<<''
printf 'ID=debian\nVERSION_ID="12"\n' >"$room/debian12"
printf 'ID=fedora\nVERSION_ID=40\n' >"$room/fedora"

# try STATUS TEXT...: `./dev build` ends so, and among what it said and called is every TEXT; one
# that begins with ! is not.
failures=0
try() {
  local want=$1 got=0 said text
  shift
  : >"$room/calls"
  said=$(PATH=$room/bin:/usr/bin:/bin "$room/tree/dev" build 2>&1 <<<"${ANSWER:-}") || got=$?
  said+=$'\n'$(cat "$room/calls")
  [ "$got" = "$want" ] || { echo "status $got, not $want" && failures=$((failures + 1)); }
  for text in "$@"; do
    if [[ $text = !* ]]; then
      [[ $said != *"${text#!}"* ]] && continue
    else
      [[ $said = *"$text"* ]] && continue
    fi
    printf 'not as expected: %s\n%s\n\n' "$text" "$said" >&2
    failures=$((failures + 1))
  done
}

export MISSING='' REMOVES='' NVMF_OS_RELEASE=$room/debian12
unset CI
try 0 'called: cmake --build build/dev' '!apt-get'
MISSING='ccache libisal-dev' try 0 'called: apt-get -q update' \
  'called: apt-get -q --yes --no-remove --no-install-recommends install ccache libisal-dev' \
  'called: cmake --build' '!called: sudo'
MISSING=ccache FAKE_UID=1000 try 0 'called: sudo env DEBIAN_FRONTEND=noninteractive apt-get'
MISSING=ccache APT_STATUS=100 try 2 '!--yes' '!called: cmake'

# What would be removed is named and asked about, except in CI.
export MISSING=libboost1.81-dev REMOVES=libboost1.74-dev
ANSWER=n try 2 'would remove: libboost1.74-dev' 'nothing was installed' '!--yes' '!called: cmake'
ANSWER='' try 2 'would remove: libboost1.74-dev' '!--yes' '!called: cmake'
ANSWER=y try 0 'would remove: libboost1.74-dev' '--yes --yes' 'called: cmake --build'
CI=true try 0 'would remove: libboost1.74-dev' '--yes --yes' 'called: cmake --build'

# Elsewhere nothing is installed: all is there, or the list is shown.
export NVMF_OS_RELEASE=$room/fedora
try 0 '!apt-get' 'called: cmake --build'
GXX_STATUS=1 try 2 'not Debian 12' '<boost/asio.hpp>' 'libisal-dev' '!apt-get' '!called: cmake'
export NVMF_OS_RELEASE=$room/none
GXX_STATUS=1 try 2 'not Debian 12'

[ "$failures" = 0 ]

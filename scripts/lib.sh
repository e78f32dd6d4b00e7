# Shared by scripts/run and scripts/test: packages, building, a private engine. Sourced, not run.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SELF=$(basename "$0")

step() { printf '==> %s\n' "$*"; }
die() { printf '%s: %s\n' "$SELF" "$*" >&2; exit 1; }

SUDO=
if [ "$(id -u)" -ne 0 ]; then SUDO=sudo; fi

# need ITEM...: installs what is missing. An item is a package, or COMMAND:PACKAGE when the command
# being there, wherever it came from, is enough.
need() {
  local item missing=()
  for item in "$@"; do
    case $item in
      *:*) command -v "${item%%:*}" >/dev/null 2>&1 || missing+=("${item#*:}") ;;
      *) dpkg-query -W -f='${Status}\n' "$item" 2>/dev/null | grep -q '^install ok installed' \
           || missing+=("$item") ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null 2>&1 \
    || die "missing ${missing[*]}, and there is no apt-get here (Debian 12, 13 or Ubuntu 24.04 is needed)"
  if [ -n "$SUDO" ] && ! command -v sudo >/dev/null 2>&1; then
    die "missing ${missing[*]}: run this as root, or install sudo"
  fi
  step "installing ${missing[*]}"
  local log
  log=$(mktemp)
  hold_services
  if ! { apt_get update && apt_get install -y --no-install-recommends "${missing[@]}"; } \
       >"$log" 2>&1 </dev/null; then
    release_services
    tail -n 15 "$log" >&2
    rm -f "$log"
    die "apt could not install ${missing[*]} (see above)"
  fi
  release_services
  rm -f "$log"
}

apt_get() {
  $SUDO env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 "$@"
}

# A freshly installed engine or registry must not be started as a service of the host.
HELD=
hold_services() {
  [ -e /usr/sbin/policy-rc.d ] && return 0
  printf '#!/bin/sh\nexit 101\n' | $SUDO tee /usr/sbin/policy-rc.d >/dev/null
  $SUDO chmod 755 /usr/sbin/policy-rc.d
  HELD=1
}
release_services() {
  [ -z "$HELD" ] || $SUDO rm -f /usr/sbin/policy-rc.d
  HELD=
}

need_build_tools() {
  need g++ cmake ninja:ninja-build ccache ld.lld:lld pkg-config libexpected-dev libssl-dev \
    libre2-dev libyaml-cpp-dev zlib1g-dev nlohmann-json3-dev libcli11-dev libgtest-dev libgmock-dev
}

# clang and the run-time library of its sanitizers, whose package has the version in its name.
need_clang() {
  need clang++:clang
  local major
  major=$(clang++ -dumpversion | cut -d. -f1)
  if ! [ -e "$(clang++ -print-file-name=libclang_rt.fuzzer-"$(uname -m)".a)" ] \
       && ! compgen -G "$(clang++ -print-resource-dir)/lib/*/libclang_rt.fuzzer*.a" >/dev/null; then
    need "libclang-rt-$major-dev"
  fi
}

# The docker command: a package of its own since Debian 13, part of docker.io before.
need_docker_cli() {
  command -v docker >/dev/null 2>&1 && return 0
  need dockerd:docker.io
  command -v docker >/dev/null 2>&1 || need docker-cli
}

# Clients that are in no Debian package, for the end-to-end tests: build/clients.
need_clients() {
  local dir=$ROOT/build/clients wanted="dockerode@5 testcontainers==4.* docker==7.*"
  [ "$(cat "$dir/complete" 2>/dev/null || true)" = "$wanted" ] && return 0
  need node:nodejs npm:npm python3-venv
  step "installing clients in $dir"
  rm -rf "$dir"
  mkdir -p "$dir"
  printf '{"private": true}\n' >"$dir/package.json"
  if ! { (cd "$dir" && npm install --no-audit --no-fund --ignore-scripts dockerode@5) \
         && python3 -m venv "$dir/venv" \
         && "$dir/venv/bin/pip" install 'testcontainers==4.*' 'docker==7.*'; } \
       >"$dir/install.log" 2>&1 </dev/null; then
    tail -n 15 "$dir/install.log" >&2
    die "the clients could not be installed (see above)"
  fi
  printf '%s\n' "$wanted" >"$dir/complete"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  step "configuring $preset"
  (cd "$ROOT" && cmake --preset "$preset" >"$ROOT/build/$preset.configure.log" 2>&1) || {
    tail -n 20 "$ROOT/build/$preset.configure.log" >&2
    die "cmake could not configure the $preset preset (see above)"
  }
  step "building $preset"
  (cd "$ROOT" && cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}) \
    || die "the $preset build failed (see above)"
}

# A program folder as image: busybox and links, streamed as a tar.
busybox_tar() {
  local dir name
  dir=$(mktemp -d)
  mkdir -p "$dir/bin" "$dir/etc" "$dir/tmp"
  chmod 1777 "$dir/tmp"
  cp "$(command -v busybox)" "$dir/bin/busybox"
  for name in sh ls cat sleep id echo stty wc head yes true false seq dd tr; do
    ln -s busybox "$dir/bin/$name"
  done
  printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$dir/etc/passwd"
  tar -C "$dir" --owner=0 --group=0 -c .
  rm -rf "$dir"
}

# engine_answers SOCKET
engine_answers() {
  [ -S "$1" ] && env -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH -u DOCKER_CONTEXT \
    timeout 10 docker -H "unix://$1" version >/dev/null 2>&1
}

on_engine() {  # SOCKET ARG...
  local socket=$1
  shift
  env -u DOCKER_TLS_VERIFY -u DOCKER_CERT_PATH -u DOCKER_CONTEXT docker -H "unix://$socket" "$@"
}

# engine_start FOLDER: a dockerd of our own with everything below FOLDER, no bridge and no firewall
# rules, and the image busybox:local. Sets ENGINE_PID. Needs root.
ENGINE_PID=
engine_start() {
  local dir=$1 driver i
  mkdir -p "$dir"
  for driver in "" vfs; do
    setsid dockerd --data-root "$dir/data" --exec-root "$dir/exec" --pidfile "$dir/engine.pid" \
      -H "unix://$dir/docker.sock" --bridge=none --iptables=false --ip6tables=false \
      ${driver:+--storage-driver "$driver"} >>"$dir/engine.log" 2>&1 </dev/null &
    ENGINE_PID=$!
    for ((i = 0; i < 150; i++)); do
      kill -0 "$ENGINE_PID" 2>/dev/null || break
      if engine_answers "$dir/docker.sock"; then
        on_engine "$dir/docker.sock" image inspect busybox:local >/dev/null 2>&1 \
          || busybox_tar | on_engine "$dir/docker.sock" import - busybox:local >/dev/null
        return 0
      fi
      sleep 0.2
    done
    engine_stop "$dir"
  done
  tail -n 5 "$dir/engine.log" >&2
  die "the private engine does not start; its log is $dir/engine.log"
}

# The command line of a process, empty when it is gone.
command_line() {
  tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" || true
} 2>/dev/null

# engine_stop FOLDER: ends that engine, its containers and its containerd; the files stay.
engine_stop() {
  local dir=$1 pid i
  pid=${ENGINE_PID:-$(cat "$dir/engine.pid" 2>/dev/null || true)}
  # A pid file that outlived its engine may name somebody else's process by now.
  if [ -n "$pid" ] && [[ $(command_line "$pid") == *"$dir/data"* ]]; then
    on_engine "$dir/docker.sock" ps -aq 2>/dev/null \
      | xargs -r env -u DOCKER_TLS_VERIFY docker -H "unix://$dir/docker.sock" rm -f >/dev/null 2>&1 || true
    kill "$pid" 2>/dev/null || true
    for ((i = 0; i < 100; i++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.2
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  fi
  ENGINE_PID=
  # Its containerd and shims, recognised by this folder, should any be left.
  local entry line
  for entry in /proc/[0-9]*; do
    line=$(command_line "${entry#/proc/}")
    if [[ $line == *"$dir/exec"* && $line == *containerd* ]]; then
      kill -KILL "${entry#/proc/}" 2>/dev/null || true
    fi
  done
  local _ target
  while read -r _ target _; do
    case $target in "$dir"/*) umount -l "$target" 2>/dev/null || true ;; esac
  done < <(tac /proc/self/mounts)
  rm -f "$dir/docker.sock" "$dir/engine.pid"
}

# shellcheck shell=bash
# ffmpeg for every run, prlimit to limit the decoder and bubblewrap to confine it, PostgreSQL's server with its pooler, PyTorch and a C compiler for the tests.

has_postgres_server() {
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# Debian installs it beside PATH of those who are not root.
has_pgbouncer() { command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ]; }

# The system's own python3, not the first one in PATH: only that one sees the system's packages.
has_python_module() {
  /usr/bin/python3 -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)' "$1" 2>/dev/null
}

has_c_compiler() { command -v gcc >/dev/null && command -v nm >/dev/null && [ -f /usr/include/stdio.h ]; }

has_ffmpeg_static() { [ -x node_modules/ffmpeg-static/ffmpeg ]; }

# The worker goes on without it, and says so: a system that has no such package is no reason to stop here.
install_sandbox() {
  if command -v bwrap >/dev/null; then return; fi
  say "system packages: installing bubblewrap (it confines the decoder)"
  apt_install bubblewrap || warn "could not install bubblewrap: videos are decoded without a sandbox until it is installed (DECODER_SANDBOX)"
}

# install_system_packages TESTS(yes|no)
install_system_packages() {
  local tests="$1" packages=() why=()
  install_sandbox
  if { ! command -v ffmpeg || ! command -v ffprobe; } >/dev/null; then
    packages+=(ffmpeg)
    why+=("ffmpeg and ffprobe decode the videos")
  fi
  if ! command -v prlimit >/dev/null; then
    packages+=(util-linux)
    why+=("prlimit limits the decoder, and setpriv has it end with the worker")
  fi
  if [ "$tests" = yes ] && ! has_postgres_server; then
    packages+=(postgresql)
    why+=("the tests start a PostgreSQL server")
  fi
  if [ "$tests" = yes ] && ! has_pgbouncer; then
    packages+=(pgbouncer)
    why+=("the tests put a pooler before PostgreSQL")
  fi
  if [ "$tests" = yes ] && ! command -v openssl >/dev/null; then
    packages+=(openssl)
    why+=("the tests make a certificate authority of their own")
  fi
  if [ "$tests" = yes ] && ! has_python_module torch; then
    packages+=(python3-torch)
    why+=("the tests export models with the system's PyTorch")
  fi
  if [ "$tests" = yes ] && ! has_python_module ensurepip; then
    packages+=(python3-venv)
    why+=("the model export has a Python environment of its own")
  fi
  if [ "$tests" = yes ] && ! has_c_compiler; then
    packages+=(gcc libc6-dev)
    why+=("the tests compile stand-ins for CUDA's libraries")
  fi
  if [ "$tests" = yes ] && { ! command -v systemd-analyze || [ ! -x /lib/systemd/systemd ]; } >/dev/null; then
    packages+=(systemd)
    why+=("the tests check the units, and run them in a machine of their own")
  fi
  if [ "${#packages[@]}" -eq 0 ]; then
    say "system packages: all there"
    return
  fi
  say "system packages: installing ${packages[*]} ($(IFS=';' && echo "${why[*]}"))"
  apt_install "${packages[@]}" || fail "could not install ${packages[*]}: install them with the system's package manager and run scripts/setup again"
}

apt_install() {
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    warn "this system has no apt-get"
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      warn "neither root nor sudo"
      return 1
    fi
    as_root=(sudo)
  fi
  # A machine that was just made has no package lists; one that has them may have old ones.
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" 2>/dev/null && return
  quietly "${as_root[@]}" apt-get update || return 1
  quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# shellcheck shell=bash
# Sourced by the commands; `root` is the folder of the project.

# Prints the Node to use: the project's own, else the system's where it is new enough.
find_node() {
  local own="$root/node_modules/.bin/node" system version
  if [ -x "$own" ] && "$own" --version >/dev/null 2>&1; then
    printf '%s\n' "$own"
    return
  fi
  system="$(command -v node || true)"
  if [ -n "$system" ]; then
    version="$("$system" --version)"
    if node_is_new_enough "$version"; then
      printf '%s\n' "$system"
      return
    fi
    echo "Node $version is too old: 22.18 or newer is needed. Run scripts/setup, which installs Node 24 for this project." >&2
  else
    echo "Node is not found. Run scripts/setup, which installs Node 24 for this project." >&2
  fi
  return 1
}

# node_is_new_enough v24.1.0
node_is_new_enough() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 18 ]; }
}

# Becomes `"$@"` with a socket to systemd in its hands, named by NOTIFY_FD. Node cannot make one of this kind, and what only the main process may say
# (NotifyAccess=main) no child can say for it. Without perl (part of every Debian) and Python a child has to, which systemd hears with NotifyAccess=all.
# Each is tried first: a perl without its modules, as in small images, or a Python that does not start would end what could run without them.
exec_with_notify_socket() {
  if PERL_BADLANG=0 perl -MSocket -MFcntl -e 1 2>/dev/null; then
    # shellcheck disable=SC2016
    PERL_BADLANG=0 exec perl -e '
      use strict; use warnings; use Socket; use Fcntl;
      local $^F = 255;
      delete $ENV{PERL_BADLANG};
      my $path = $ENV{NOTIFY_SOCKET} =~ s/^@/\0/r;
      my $socket;
      if (socket($socket, AF_UNIX, SOCK_DGRAM, 0) && connect($socket, pack_sockaddr_un($path)) && fcntl($socket, F_SETFL, O_NONBLOCK)) {
        $ENV{NOTIFY_FD} = fileno($socket);
        delete $ENV{NOTIFY_SOCKET};
        exec { $ARGV[0] } @ARGV or die "start-worker: $ARGV[0] cannot be run: $!\n";
      }
      warn "start-worker: NOTIFY_SOCKET cannot be connected to ($!): a child speaks to systemd, which needs NotifyAccess=all\n";
      exec { $ARGV[0] } @ARGV or die "start-worker: $ARGV[0] cannot be run: $!\n";
    ' "$@"
  fi
  if python3 -I -c 'import os, socket, sys' 2>/dev/null; then
    exec python3 -I -c '
import os, socket, sys
try:
    way = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    path = os.environ["NOTIFY_SOCKET"]
    way.connect("\0" + path[1:] if path.startswith("@") else path)
    way.setblocking(False)
    way.set_inheritable(True)
    os.environ["NOTIFY_FD"] = str(way.fileno())
    del os.environ["NOTIFY_SOCKET"]
except OSError as error:
    print(f"start-worker: NOTIFY_SOCKET cannot be connected to ({error}): a child speaks to systemd, which needs NotifyAccess=all", file=sys.stderr)
os.execv(sys.argv[1], sys.argv[1:])
    ' "$@"
  fi
  echo "start-worker: neither perl nor python3 with its modules is found: a child speaks to systemd, which needs NotifyAccess=all in the unit" >&2
  exec "$@"
}

# run_node COMMAND ENV_FILE [ARGUMENT...]: becomes the built command.
run_node() {
  local command="$1" env_file="$2" node entry through=exec
  shift 2
  entry="$root/dist/cli/$command.js"
  node="$(find_node)" || exit 1
  if [ ! -f "$entry" ]; then
    echo "$command: $entry is not built. Run scripts/setup." >&2
    exit 1
  fi
  # The loader reads the variable when a process starts: Node cannot set it for itself.
  if [ -d "$root/.local/cuda/lib" ]; then
    export LD_LIBRARY_PATH="$root/.local/cuda/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  # So does the C library. With an arena for each thread it keeps what one of them freed and another one needs, and the more of it the
  # longer a video is. What an operator has set stays.
  export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-1}"
  if [ -z "$env_file" ] && [ -f .env ]; then env_file=.env; fi
  if [ -n "$env_file" ]; then
    if [ ! -r "$env_file" ]; then
      echo "$command: the environment file $env_file cannot be read" >&2
      exit 1
    fi
    set -- "--env-file=$env_file" "$entry" "$@"
  else
    set -- "$entry" "$@"
  fi
  if [ "$command" = start-worker ] && [ -n "${NOTIFY_SOCKET:-}" ]; then through=exec_with_notify_socket; fi
  "$through" "$node" --disable-warning=ExperimentalWarning "$@"
}

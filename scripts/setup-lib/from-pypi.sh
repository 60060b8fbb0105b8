# shellcheck shell=bash
# What the tests take from PyPI: ruff, the Python environment of the model export, and what CUDA's stand-ins are made of. A machine
# that cannot reach PyPI runs the tests without them; these say so.

ruff_dir=.local/ruff

# install_from_pypi NEEDED(yes|no): whether it is an error that PyPI cannot be reached.
install_from_pypi() {
  local missing=() part
  has_ruff || missing+=("ruff, which lints Python")
  has_export_environment || missing+=("the Python environment of the model export, for its tests")
  has_null_cuda_parts || ! can_have_null_cuda || missing+=("what the stand-ins for CUDA's libraries are made of")
  if [ "${#missing[@]}" -gt 0 ] && ! reaches_pypi; then
    for part in "${missing[@]}"; do say "PyPI cannot be reached: left out is $part"; done
    if [ "$1" = yes ]; then fail "all checks were asked for, and they need what was left out"; fi
    if has_null_cuda_parts; then install_null_cuda; fi
    return
  fi
  has_ruff || install_ruff
  has_export_environment || install_export_environment
  install_null_cuda
}

ruff_version() { sed -n 's/^required-version = "==\(.*\)"$/\1/p' ruff.toml; }

has_ruff() { [ "$("$ruff_dir/bin/ruff" --version 2>/dev/null)" = "ruff $(ruff_version)" ]; }

has_export_environment() { cmp -s models/export/requirements-system-torch.txt models/export/.venv/system/installed.txt; }

# Asks with pip itself: it knows the index, the proxy and the certificates of this machine.
reaches_pypi() {
  make_ruff_environment && "$ruff_dir/bin/pip" --quiet --retries 1 --timeout 10 index versions ruff >/dev/null 2>&1
}

make_ruff_environment() { [ -x "$ruff_dir/bin/pip" ] || quietly /usr/bin/python3 -m venv "$ruff_dir"; }

install_ruff() {
  say "ruff: installing version $(ruff_version)"
  make_ruff_environment || fail "Python's own environment for ruff could not be made (see above)"
  quietly "$ruff_dir/bin/pip" install --quiet --disable-pip-version-check "ruff==$(ruff_version)" ||
    fail "ruff could not be installed (see above)"
}

install_export_environment() {
  say "Python environment of the model export"
  models/export/export --system-torch --install-only || fail "could not make it: the export's tests need onnx and onnxruntime from PyPI"
}

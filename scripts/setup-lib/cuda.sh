# shellcheck shell=bash
# The CUDA provider of exactly the installed ONNX Runtime, and the CUDA libraries that it was built for. Both are in the
# wheels of the Python package onnxruntime-gpu and of the packages that it names; pip only downloads them here, and no
# Python is needed to run. Everything lies in .local/cuda; LD_LIBRARY_PATH is set by the commands.

cuda_dir=.local/cuda
provider_dir=node_modules/onnxruntime-node/bin/napi-v6/linux/x64

install_cuda() {
  local version
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "the CUDA provider exists for Linux on x86_64 only"
  version="$(sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p' node_modules/onnxruntime-node/package.json | head -n 1)"
  if [ "$(cat "$cuda_dir/stamp" 2>/dev/null)" = "$version" ]; then
    say "CUDA libraries: there, for ONNX Runtime $version"
  else
    say "CUDA libraries: downloading the provider of ONNX Runtime $version and what it needs (about 1.5 GB)"
    require_pip --gpu
    rm -rf "$cuda_dir"
    mkdir -p "$cuda_dir/provider" "$cuda_dir/lib"
    download_provider "$version"
    download_libraries
    rm -rf "$cuda_dir/wheels"
    printf '%s\n' "$version" >"$cuda_dir/stamp"
  fi
  # npm puts a fresh package in the place of one that had the provider.
  cp -u "$cuda_dir"/provider/*.so "$provider_dir/"
  check_driver
}

# require_pip OPTION: the option of scripts/setup that needs it.
require_pip() {
  python3 -m pip --version >/dev/null 2>&1 && return
  say "pip: installing"
  apt_install python3-pip || fail "pip is needed to download the CUDA libraries: install python3 with pip and run scripts/setup $1 again"
}

# pip_download FOLDER ARGUMENT...
pip_download() {
  quietly python3 -m pip download --quiet --disable-pip-version-check --only-binary=:all: --dest "$@"
}

# The wheel is made per Python version although its provider is the same in all: whichever fits this host's is taken,
# else one of the newest that are sure to exist.
download_provider() {
  local version="$1" wheels="$cuda_dir/wheels/provider"
  mkdir -p "$wheels"
  pip_download "$wheels" --no-deps "onnxruntime-gpu==$version" ||
    pip_download "$wheels" --no-deps --python-version 3.12 --platform manylinux_2_28_x86_64 "onnxruntime-gpu==$version" ||
    fail "the package onnxruntime-gpu $version could not be downloaded (see above). On a host without network: put libonnxruntime_providers_shared.so and libonnxruntime_providers_cuda.so of ONNX Runtime $version into $provider_dir"
  unpack "$wheels" 'onnxruntime/capi/libonnxruntime_providers_(cuda|shared)\.so' "$cuda_dir/provider"
  [ -f "$cuda_dir/provider/libonnxruntime_providers_cuda.so" ] || fail "the package onnxruntime-gpu $version holds no CUDA provider"
}

# What the wheel itself asks for in its extras `cuda` and `cudnn`: the major versions change between releases.
download_libraries() {
  local wheels="$cuda_dir/wheels/libraries" requirements
  mkdir -p "$wheels"
  mapfile -t requirements < <(wheel_extras "$cuda_dir/wheels/provider")
  [ "${#requirements[@]}" -gt 0 ] || fail "the package onnxruntime-gpu does not say which CUDA libraries it needs"
  pip_download "$wheels" "${requirements[@]}" || fail "the CUDA libraries could not be downloaded (see above): ${requirements[*]}"
  unpack "$wheels" 'nvidia/.*/lib/[^/]*\.so[.0-9]*' "$cuda_dir/lib"
}

wheel_extras() {
  python3 - "$1" <<'PYTHON'
import pathlib, re, sys, zipfile

for wheel in pathlib.Path(sys.argv[1]).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        for line in archive.read(name).decode().splitlines():
            found = re.fullmatch(r"""Requires-Dist: ([^;]+?)\s*;\s*extra\s*==\s*['"](cuda|cudnn)['"]""", line)
            if found:
                print(found[1])
PYTHON
}

# unpack WHEELS PATTERN TARGET: the files of all wheels whose path matches, flat.
unpack() {
  python3 - "$@" <<'PYTHON'
import pathlib, re, shutil, sys, zipfile

wheels, pattern, target = sys.argv[1:]
for wheel in pathlib.Path(wheels).glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if re.fullmatch(pattern, name):
                with archive.open(name) as source, open(pathlib.Path(target) / pathlib.Path(name).name, "wb") as out:
                    shutil.copyfileobj(source, out)
PYTHON
}

check_driver() {
  if ! command -v nvidia-smi >/dev/null; then
    warn "no NVIDIA driver on this host: the GPU needs driver 580 or newer"
    return
  fi
  say "GPU: $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>&1 | head -n 1)"
}

# shellcheck shell=bash
# Stand-ins for CUDA's libraries, on which the tests run ONNX Runtime's real CUDA provider without a GPU: the provider and the headers
# of the CUDA runtime are downloaded (250 MB), the stand-ins compiled. See test/bench/gpu-kit/README.md.

install_null_cuda() {
  if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
    say "CUDA without a GPU: left out, the provider exists for Linux on x86_64 only"
    return
  fi
  say "CUDA without a GPU: the provider, and stand-ins for its libraries"
  require_pip
  quietly npm run --silent gpu-kit -- null-cuda || fail "could not make the stand-ins for CUDA's libraries (see above); the tests need them"
}

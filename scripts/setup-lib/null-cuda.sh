# shellcheck shell=bash
# Stand-ins for CUDA's libraries, on which the tests run ONNX Runtime's real CUDA provider without a GPU. See
# test/bench/gpu-kit/README.md. Without them these tests are skipped: who asks for what the tests need is to know that it is not there.

can_have_null_cuda() { [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ]; }

install_null_cuda() {
  if ! can_have_null_cuda; then
    say "CUDA's stand-ins: left out, the provider exists for Linux on x86_64 only"
    return
  fi
  if has_null_cuda_parts; then
    say "CUDA's stand-ins: what they are made of is there"
  else
    say "CUDA's stand-ins: downloading the provider and the headers of its runtime (about 250 MB)"
    require_pip --tests
  fi
  quietly npm run --silent gpu-kit -- null-cuda || fail "could not make the stand-ins for CUDA's libraries (see above); their tests need them"
}

has_null_cuda_parts() {
  { compgen -G '.gpu/cache/provider-*' || [ -f .local/cuda/stamp ]; } && compgen -G '.gpu/cache/nvidia-cuda-runtime-*'
} >/dev/null

/* A CUDA runtime without a GPU: kernels do nothing. What is not here or in the files beside it is added by libraries.ts as a function
   that returns success. */
#include <string.h>

#include <driver_types.h>
#include <vector_types.h>

#include "counters.h"
#include "stand-in.h"

cudaError_t cudaGetDeviceCount(int *n) { *n = 1; return 0; }
cudaError_t cudaGetDevice(int *d) { *d = 0; return 0; }
cudaError_t cudaSetDevice(int d) { return d ? cudaErrorInvalidDevice : 0; }
cudaError_t cudaDriverGetVersion(int *v) { *v = 13000; return 0; }
cudaError_t cudaRuntimeGetVersion(int *v) { *v = 13000; return 0; }
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int d) {
  memset(p, 0, sizeof *p);
  strcpy(p->name, "no GPU");
  p->totalGlobalMem = NULL_GPU_BYTES, p->sharedMemPerBlock = 49152, p->regsPerBlock = 65536, p->warpSize = 32, p->maxThreadsPerBlock = 1024;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024, p->maxThreadsDim[2] = 64, p->maxGridSize[0] = 2147483647, p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->major = 9, p->minor = 0, p->multiProcessorCount = 132, p->l2CacheSize = 50 << 20, p->maxThreadsPerMultiProcessor = 2048;
  p->sharedMemPerMultiprocessor = 233472, p->regsPerMultiprocessor = 65536, p->sharedMemPerBlockOptin = 232448, p->maxBlocksPerMultiProcessor = 32;
  return 0;
}
cudaError_t cudaDeviceGetAttribute(int *v, enum cudaDeviceAttr a, int d) {
  struct cudaDeviceProp p;
  cudaGetDeviceProperties(&p, 0);
  switch (a) {
    case cudaDevAttrComputeCapabilityMajor: *v = p.major; break;
    case cudaDevAttrComputeCapabilityMinor: *v = p.minor; break;
    case cudaDevAttrMultiProcessorCount: *v = p.multiProcessorCount; break;
    case cudaDevAttrMaxSharedMemoryPerBlock: *v = p.sharedMemPerBlock; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *v = p.sharedMemPerBlockOptin; break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: *v = p.sharedMemPerMultiprocessor; break;
    case cudaDevAttrMaxThreadsPerBlock: *v = p.maxThreadsPerBlock; break;
    case cudaDevAttrMaxThreadsPerMultiProcessor: *v = p.maxThreadsPerMultiProcessor; break;
    case cudaDevAttrMaxRegistersPerBlock: *v = p.regsPerBlock; break;
    case cudaDevAttrWarpSize: *v = p.warpSize; break;
    case cudaDevAttrL2CacheSize: *v = p.l2CacheSize; break;
    case cudaDevAttrMaxGridDimX: *v = p.maxGridSize[0]; break;
    case cudaDevAttrMaxGridDimY:
    case cudaDevAttrMaxGridDimZ: *v = p.maxGridSize[1]; break;
    default: *v = 0;
  }
  return 0;
}
cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *f) {
  memset(a, 0, sizeof *a);
  a->maxThreadsPerBlock = 1024, a->numRegs = 32, a->ptxVersion = a->binaryVersion = 90;
  return 0;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int b, size_t s, unsigned g) { *n = 2; return 0; }
const char *cudaGetErrorString(cudaError_t e) { return "the null CUDA runtime"; }
const char *cudaGetErrorName(cudaError_t e) { return "nullCuda"; }

cudaError_t cudaStreamCreate(cudaStream_t *s) { *s = thing(); return 0; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned f) { *s = thing(); return 0; }
cudaError_t cudaStreamSynchronize(cudaStream_t s) { ADD(waits, 1), null_note_heap(); return 0; }
cudaError_t cudaEventSynchronize(cudaEvent_t e) { ADD(waits, 1); return 0; }
cudaError_t cudaDeviceSynchronize(void) { ADD(deviceWaits, 1); return 0; }
/* By it the provider gives pinned memory back when the stream has come so far: here at once. */
cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t call, void *with) { call(with); return 0; }
cudaError_t cudaStreamIsCapturing(cudaStream_t s, enum cudaStreamCaptureStatus *c) { *c = cudaStreamCaptureStatusNone; return 0; }
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g) { *g = thing(); return 0; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s) { ADD(launches, 1); return 0; }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long f) { *e = thing(); return 0; }
cudaError_t cudaEventCreate(cudaEvent_t *e) { *e = thing(); return 0; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned f) { *e = thing(); return 0; }
cudaError_t cudaEventElapsedTime(float *t, cudaEvent_t a, cudaEvent_t b) { *t = 0.01f; return 0; }
cudaError_t cudaLaunchKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
cudaError_t __cudaLaunchKernel(void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
cudaError_t cudaLaunchCooperativeKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
cudaError_t cudaLaunchKernelExC(const void *c, const void *f, void **a) { ADD(launches, 1); return 0; }
unsigned __cudaPushCallConfiguration(dim3 g, dim3 b, size_t m, void *s) { return 0; }
cudaError_t __cudaPopCallConfiguration(dim3 *g, dim3 *b, size_t *m, void **s) {
  g->x = g->y = g->z = b->x = b->y = b->z = 1, *m = 0, *s = 0;
  return 0;
}
void **__cudaRegisterFatBinary(void *f) { return thing(); }
cudaError_t cudaGetDriverEntryPointByVersion(const char *n, void **p, unsigned v, unsigned long long f, int *r) { *p = 0; if (r) *r = 1; return 0; }
cudaError_t cudaMemPoolCreate(cudaMemPool_t *p, const void *q) { *p = thing(); return 0; }
cudaError_t cudaLibraryLoadData(void **l, const void *c, void *a, void *b, unsigned n, void *d, void *e, unsigned m) { *l = thing(); return 0; }
cudaError_t cudaLibraryGetKernel(void **k, void *l, const char *n) { *k = thing(); return 0; }

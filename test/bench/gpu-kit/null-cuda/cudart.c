/* A CUDA runtime without a GPU: memory is the host's, copies are copies, kernels do nothing. Counts what it and the libraries
   beside it are asked for. What is not here is added by build.ts as a function that returns success. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <driver_types.h>
#include <vector_types.h>

#include "counters.h"
#include "stand-in.h"

#define SHARED __attribute__((visibility("default")))
#define GIB (1ULL << 30)

static struct counter *counters;
#define ADD(field, n) __atomic_add_fetch(&counters[COUNTER_##field].value, (n), __ATOMIC_RELAXED)

/* Before anything is counted. A count that cannot be written must not pass for nothing. */
__attribute__((constructor)) static void open_counters(void) {
  static struct counter unread[COUNTER_COUNT];
  counters = unread;
  const char *path = getenv("NULL_CUDA_COUNTS");
  if (path) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *mapped = file < 0 || ftruncate(file, sizeof unread) ? MAP_FAILED : mmap(0, sizeof unread, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
      perror(path);
      abort();
    }
    close(file);
    counters = mapped;
  }
#define X(name) #name,
  static const char *const names[] = {COUNTERS(X)};
#undef X
  for (int i = 0; i < COUNTER_COUNT; i++) strncpy(counters[i].name, names[i], sizeof counters[i].name - 1);
}

SHARED void null_plan(void) { ADD(plans, 1); }
SHARED void null_product(void) { ADD(products, 1); }
SHARED void null_convolution(void) { ADD(convolutions, 1); }

/* Which memory a pointer is in. */
enum { PAGEABLE, GPU, PINNED };
static struct region { char *start; size_t size; int kind; } *regions;
static int used, room;
static int64_t live, pinnedLive;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static cudaError_t take(void **out, size_t size, int kind) {
  size_t whole = (size + 511) / 512 * 512;
  if (posix_memalign(out, 512, whole ? whole : 512)) return cudaErrorMemoryAllocation;
  /* A GPU's memory is there as a whole: here too, or a process would seem to grow when it first uses a part of it. */
  memset(*out, 0, whole ? whole : 512);
  pthread_mutex_lock(&lock);
  if (used == room) regions = realloc(regions, (room = room ? 2 * room : 1024) * sizeof *regions);
  regions[used++] = (struct region){*out, size, kind};
  if (kind == GPU) live += size, ADD(liveBytes, size);
  if (kind == PINNED) pinnedLive += size;
  pthread_mutex_unlock(&lock);
  return 0;
}
static void give(void *pointer) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < used; i++)
    if (regions[i].start == pointer) {
      if (regions[i].kind == GPU) live -= regions[i].size, ADD(liveBytes, -(int64_t)regions[i].size);
      if (regions[i].kind == PINNED) pinnedLive -= regions[i].size;
      regions[i] = regions[--used];
      break;
    }
  pthread_mutex_unlock(&lock);
  free(pointer);
}
static int kindOf(const void *pointer) {
  int kind = PAGEABLE;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < used; i++)
    if ((const char *)pointer >= regions[i].start && (const char *)pointer < regions[i].start + regions[i].size) kind = regions[i].kind;
  pthread_mutex_unlock(&lock);
  return kind;
}
/* Whether memory begins here that was taken for itself, outside the arenas, which take a megabyte or more at a time. */
static int startsOwnRegion(const void *pointer) {
  int own = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < used; i++)
    if (regions[i].start == pointer) own = regions[i].size < 1 << 20;
  pthread_mutex_unlock(&lock);
  return own;
}
/* The place of the target; 1 where the host is to get what a GPU would have computed. */
static int count_copy(const void *to, const void *from, size_t size, int *place) {
  int source = kindOf(from), target = *place = kindOf(to);
  if (source == GPU && target != GPU) {
    ADD(toHost, 1), ADD(toHostBytes, size);
    if (target == PAGEABLE) ADD(toHostPageableBytes, size);
    return 1;
  }
  if (target == GPU && source != GPU) {
    ADD(toGpu, 1), ADD(toGpuBytes, size);
    if (source == PAGEABLE) ADD(toGpuPageableBytes, size);
  } else if (source == GPU) ADD(insideGpu, 1), ADD(insideGpuBytes, size);
  return 0;
}
static void copy(void *to, const void *from, size_t size) {
  int target;
  if (!count_copy(to, from, size, &target)) {
    memcpy(to, from, size);
    return;
  }
  /* Nothing was computed: zeros are no NaN. NULL_FOUND pretends that suppression found as many candidates of every class in every
     frame, to count what it then does: it reads their number from memory of its own, and how many it kept into pinned memory. */
  memset(to, 0, size);
  const char *found = getenv("NULL_FOUND");
  if (found && size == 8 && startsOwnRegion(from)) *(int64_t *)to = atoi(found);
  if (found && size == 4 && target == PINNED) *(int *)to = atoi(found) < 5 ? atoi(found) : 5;
}
static void copy_rows(char *to, size_t pitch, const char *from, size_t fromPitch, size_t width, size_t rows) {
  int target, back = count_copy(to, from, width * rows, &target);
  for (size_t row = 0; row < rows; row++)
    if (back) memset(to + row * pitch, 0, width);
    else memcpy(to + row * pitch, from + row * fromPitch, width);
}

SHARED cudaError_t cudaMalloc(void **p, size_t n) { ADD(allocations, 1), ADD(allocatedBytes, n); return take(p, n, GPU); }
SHARED cudaError_t cudaFree(void *p) { if (p) ADD(frees, 1), give(p); return 0; }
SHARED cudaError_t cudaMallocHost(void **p, size_t n) { ADD(pinned, 1); return take(p, n, PINNED); }
SHARED cudaError_t cudaHostAlloc(void **p, size_t n, unsigned f) { return cudaMallocHost(p, n); }
SHARED cudaError_t cudaFreeHost(void *p) { if (p) give(p); return 0; }
SHARED cudaError_t cudaMallocFromPoolAsync(void **p, size_t n, cudaMemPool_t pool, cudaStream_t s) { return cudaMalloc(p, n); }
SHARED cudaError_t cudaFreeAsync(void *p, cudaStream_t s) { return cudaFree(p); }
SHARED cudaError_t cudaMemGetInfo(size_t *left, size_t *all) { *all = 80 * GIB, *left = *all - live; return 0; }
SHARED cudaError_t cudaMemcpy(void *d, const void *s, size_t n, enum cudaMemcpyKind k) { copy(d, s, n), ADD(waits, 1); return 0; }
SHARED cudaError_t cudaMemcpyAsync(void *d, const void *s, size_t n, enum cudaMemcpyKind k, cudaStream_t t) { copy(d, s, n); return 0; }
SHARED cudaError_t cudaMemcpy2DAsync(void *d, size_t dp, const void *s, size_t sp, size_t w, size_t h, enum cudaMemcpyKind k, cudaStream_t t) {
  copy_rows(d, dp, s, sp, w, h);
  return 0;
}
SHARED cudaError_t cudaMemset(void *d, int c, size_t n) { memset(d, c, n), ADD(fills, 1); return 0; }
SHARED cudaError_t cudaMemsetAsync(void *d, int c, size_t n, cudaStream_t t) { return cudaMemset(d, c, n); }
SHARED cudaError_t cudaMemcpyFromSymbol(void *d, const void *s, size_t n, size_t o, enum cudaMemcpyKind k) { memset(d, 0, n); return 0; }

SHARED cudaError_t cudaGetDeviceCount(int *n) { *n = 1; return 0; }
SHARED cudaError_t cudaGetDevice(int *d) { *d = 0; return 0; }
SHARED cudaError_t cudaSetDevice(int d) { return d ? cudaErrorInvalidDevice : 0; }
SHARED cudaError_t cudaDriverGetVersion(int *v) { *v = 13000; return 0; }
SHARED cudaError_t cudaRuntimeGetVersion(int *v) { *v = 13000; return 0; }
SHARED cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int d) {
  memset(p, 0, sizeof *p);
  strcpy(p->name, "no GPU");
  p->totalGlobalMem = 80 * GIB, p->sharedMemPerBlock = 49152, p->regsPerBlock = 65536, p->warpSize = 32, p->maxThreadsPerBlock = 1024;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024, p->maxThreadsDim[2] = 64, p->maxGridSize[0] = 2147483647, p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->major = 9, p->minor = 0, p->multiProcessorCount = 132, p->l2CacheSize = 50 << 20, p->maxThreadsPerMultiProcessor = 2048;
  p->sharedMemPerMultiprocessor = 233472, p->regsPerMultiprocessor = 65536, p->sharedMemPerBlockOptin = 232448, p->maxBlocksPerMultiProcessor = 32;
  return 0;
}
SHARED cudaError_t cudaDeviceGetAttribute(int *v, enum cudaDeviceAttr a, int d) {
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
SHARED cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *a, const void *p) {
  memset(a, 0, sizeof *a);
  int kind = kindOf(p);
  a->type = kind == GPU ? cudaMemoryTypeDevice : kind == PINNED ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
  a->devicePointer = a->hostPointer = (void *)p;
  return 0;
}
SHARED cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *f) {
  memset(a, 0, sizeof *a);
  a->maxThreadsPerBlock = 1024, a->numRegs = 32, a->ptxVersion = a->binaryVersion = 90;
  return 0;
}
SHARED cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *n, const void *f, int b, size_t s, unsigned g) { *n = 2; return 0; }
SHARED const char *cudaGetErrorString(cudaError_t e) { return "the null CUDA runtime"; }
SHARED const char *cudaGetErrorName(cudaError_t e) { return "nullCuda"; }

/* Only where it is asked for: it looks at every block. */
static void note_heap(void) {
  if (!getenv("NULL_CUDA_HEAP")) return;
  struct mallinfo2 heap = mallinfo2();
  counters[COUNTER_heapBytes].value = (int64_t)(heap.uordblks + heap.hblkhd) - live - pinnedLive;
}
SHARED cudaError_t cudaStreamCreate(cudaStream_t *s) { *s = thing(); return 0; }
SHARED cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned f) { *s = thing(); return 0; }
SHARED cudaError_t cudaStreamSynchronize(cudaStream_t s) { ADD(waits, 1), note_heap(); return 0; }
SHARED cudaError_t cudaEventSynchronize(cudaEvent_t e) { ADD(waits, 1); return 0; }
SHARED cudaError_t cudaDeviceSynchronize(void) { ADD(deviceWaits, 1); return 0; }
/* By it the provider gives pinned memory back when the stream has come so far: here at once. */
SHARED cudaError_t cudaLaunchHostFunc(cudaStream_t s, cudaHostFn_t call, void *with) { call(with); return 0; }
SHARED cudaError_t cudaStreamIsCapturing(cudaStream_t s, enum cudaStreamCaptureStatus *c) { *c = cudaStreamCaptureStatusNone; return 0; }
SHARED cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g) { *g = thing(); return 0; }
SHARED cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long f) { *e = thing(); return 0; }
SHARED cudaError_t cudaEventCreate(cudaEvent_t *e) { *e = thing(); return 0; }
SHARED cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned f) { *e = thing(); return 0; }
SHARED cudaError_t cudaEventElapsedTime(float *t, cudaEvent_t a, cudaEvent_t b) { *t = 0.01f; return 0; }
SHARED cudaError_t cudaLaunchKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
SHARED cudaError_t __cudaLaunchKernel(void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
SHARED cudaError_t cudaLaunchCooperativeKernel(const void *f, dim3 g, dim3 b, void **a, size_t m, cudaStream_t s) { ADD(launches, 1); return 0; }
SHARED cudaError_t cudaLaunchKernelExC(const void *c, const void *f, void **a) { ADD(launches, 1); return 0; }
SHARED unsigned __cudaPushCallConfiguration(dim3 g, dim3 b, size_t m, void *s) { return 0; }
SHARED cudaError_t __cudaPopCallConfiguration(dim3 *g, dim3 *b, size_t *m, void **s) {
  g->x = g->y = g->z = b->x = b->y = b->z = 1, *m = 0, *s = 0;
  return 0;
}
SHARED void **__cudaRegisterFatBinary(void *f) { return thing(); }
SHARED cudaError_t cudaGetDriverEntryPointByVersion(const char *n, void **p, unsigned v, unsigned long long f, int *r) { *p = 0; if (r) *r = 1; return 0; }
SHARED cudaError_t cudaMemPoolCreate(cudaMemPool_t *p, const void *q) { *p = thing(); return 0; }
SHARED cudaError_t cudaLibraryLoadData(void **l, const void *c, void *a, void *b, unsigned n, void *d, void *e, unsigned m) { *l = thing(); return 0; }
SHARED cudaError_t cudaLibraryGetKernel(void **k, void *l, const char *n) { *k = thing(); return 0; }

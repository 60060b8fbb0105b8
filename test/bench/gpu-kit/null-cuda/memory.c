/* Memory and copies of the CUDA runtime without a GPU: the GPU's memory is the host's. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <driver_types.h>

#include "counters.h"
#include "stand-in.h"

/* Which memory a pointer is in. */
enum { PAGEABLE, GPU, PINNED };
static struct region { char *start; size_t size; int kind; } *regions;
static int used, room;
static int64_t live;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static cudaError_t take(void **out, size_t size, int kind) {
  size_t whole = (size + 511) / 512 * 512;
  const char *most = getenv("NULL_CUDA_MEMORY");
  if (kind == GPU && most && live + (int64_t)size > atoll(most)) return cudaErrorMemoryAllocation;
  if (posix_memalign(out, 512, whole ? whole : 512)) return cudaErrorMemoryAllocation;
  pthread_mutex_lock(&lock);
  if (used == room) regions = realloc(regions, (room = room ? 2 * room : 1024) * sizeof *regions);
  regions[used++] = (struct region){*out, size, kind};
  if (kind == GPU) {
    live += size;
    ADD(liveBytes, size);
  }
  pthread_mutex_unlock(&lock);
  return 0;
}
static void give(void *pointer) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < used; i++)
    if (regions[i].start == pointer) {
      if (regions[i].kind == GPU) {
        live -= regions[i].size;
        ADD(liveBytes, -(int64_t)regions[i].size);
      }
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
/* What is left to do for a copy: within the GPU nothing, as nothing is computed there. */
enum { NOTHING, UPLOAD, ZEROS };
static int count_copy(const void *to, const void *from, size_t size) {
  int source = kindOf(from), target = kindOf(to);
  if (source == GPU && target == GPU) {
    ADD(insideGpu, 1), ADD(insideGpuBytes, size);
    return NOTHING;
  }
  if (source == GPU) {
    ADD(toHost, 1), ADD(toHostBytes, size);
    if (target == PAGEABLE) ADD(toHostPageableBytes, size);
    return ZEROS;
  }
  if (target == GPU) {
    ADD(toGpu, 1), ADD(toGpuBytes, size);
    if (source == PAGEABLE) ADD(toGpuPageableBytes, size);
  }
  return UPLOAD;
}
static void copy(void *to, const void *from, size_t size) {
  int left = count_copy(to, from, size);
  if (left == UPLOAD) memcpy(to, from, size);
  /* Zeros are no NaN. */
  if (left == ZEROS && !null_answer(to, size)) memset(to, 0, size);
}
static void copy_rows(char *to, size_t pitch, const char *from, size_t fromPitch, size_t width, size_t rows) {
  int left = count_copy(to, from, width * rows);
  for (size_t row = 0; left != NOTHING && row < rows; row++)
    if (left == ZEROS) memset(to + row * pitch, 0, width);
    else memcpy(to + row * pitch, from + row * fromPitch, width);
}

cudaError_t cudaMalloc(void **p, size_t n) { ADD(allocations, 1), ADD(allocatedBytes, n); return take(p, n, GPU); }
cudaError_t cudaFree(void *p) { if (p) ADD(frees, 1), give(p); return 0; }
cudaError_t cudaMallocHost(void **p, size_t n) { ADD(pinned, 1); return take(p, n, PINNED); }
cudaError_t cudaHostAlloc(void **p, size_t n, unsigned f) { return cudaMallocHost(p, n); }
cudaError_t cudaFreeHost(void *p) { if (p) give(p); return 0; }
cudaError_t cudaMallocFromPoolAsync(void **p, size_t n, cudaMemPool_t pool, cudaStream_t s) { return cudaMalloc(p, n); }
cudaError_t cudaFreeAsync(void *p, cudaStream_t s) { return cudaFree(p); }
cudaError_t cudaMemGetInfo(size_t *left, size_t *all) { 
  const char *most = getenv("NULL_CUDA_MEMORY");
  *all = most ? (size_t)atoll(most) : NULL_GPU_BYTES, *left = *all - live;
  return 0;
}
cudaError_t cudaMemcpy(void *d, const void *s, size_t n, enum cudaMemcpyKind k) { copy(d, s, n), ADD(waits, 1); return 0; }
cudaError_t cudaMemcpyAsync(void *d, const void *s, size_t n, enum cudaMemcpyKind k, cudaStream_t t) { copy(d, s, n); return 0; }
cudaError_t cudaMemcpy2DAsync(void *d, size_t dp, const void *s, size_t sp, size_t w, size_t h, enum cudaMemcpyKind k, cudaStream_t t) {
  copy_rows(d, dp, s, sp, w, h);
  return 0;
}
cudaError_t cudaMemset(void *d, int c, size_t n) {
  ADD(fills, 1);
  if (kindOf(d) != GPU) memset(d, c, n);
  return 0;
}
cudaError_t cudaMemsetAsync(void *d, int c, size_t n, cudaStream_t t) { return cudaMemset(d, c, n); }
cudaError_t cudaMemcpyFromSymbol(void *d, const void *s, size_t n, size_t o, enum cudaMemcpyKind k) { memset(d, 0, n); return 0; }

cudaError_t cudaPointerGetAttributes(struct cudaPointerAttributes *a, const void *p) {
  memset(a, 0, sizeof *a);
  int kind = kindOf(p);
  a->type = kind == GPU ? cudaMemoryTypeDevice : kind == PINNED ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered;
  a->devicePointer = a->hostPointer = (void *)p;
  return 0;
}

/* Only where it is asked for: it looks at every block. */
void null_note_heap(void) {
  if (!getenv("NULL_CUDA_HEAP")) return;
  struct mallinfo2 heap = mallinfo2();
  null_counters[COUNTER_heapBytes].value = (int64_t)(heap.uordblks + heap.hblkhd) - live;
}

/* What is counted, for other programs to read: records of a name and a number in the file that NULL_CUDA_COUNTS names, which the
   runtime maps. Numbers only grow, but the last two. */
#pragma once

#include <stdint.h>

#define COUNTERS(X) \
  X(plans) X(launches) X(products) X(convolutions) X(otherCalls) \
  X(toGpu) X(toGpuBytes) X(toGpuPageableBytes) X(toHost) X(toHostBytes) X(toHostPageableBytes) X(insideGpu) X(insideGpuBytes) \
  X(waits) X(deviceWaits) X(allocations) X(allocatedBytes) X(frees) X(fills) X(pinned) X(liveBytes) X(heapBytes)

struct counter {
  char name[24];
  int64_t value;
};

#define X(name) COUNTER_##name,
enum { COUNTERS(X) COUNTER_COUNT };
#undef X

extern struct counter *null_counters;
#define ADD(name, n) __atomic_add_fetch(&null_counters[COUNTER_##name].value, (n), __ATOMIC_RELAXED)

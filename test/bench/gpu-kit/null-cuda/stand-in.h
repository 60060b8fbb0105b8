/* What the stand-ins for CUDA's libraries have in common. */
#pragma once

#include <stddef.h>

/* Counters of the runtime, which the other libraries are linked with. A function of the runtime that is looked up by its name
   when it is first needed must not be kept in one place for all names: then every library counts what it first met. */
void null_plan(void);
void null_product(void);
void null_convolution(void);
/* Any other work that a library was asked for. */
void null_call(void);
/* Whether a copy of this size to the host has an answer, which is then in `to`. */
int null_answer(void *to, size_t size);
/* Writes down the process's own memory. */
void null_note_heap(void);

#define NULL_GPU_BYTES (80ULL << 30)

/* A handle that means nothing. */
static inline void *thing(void) {
  static char things[1 << 16];
  static unsigned next;
  return things + ((next += 64) & 65535);
}

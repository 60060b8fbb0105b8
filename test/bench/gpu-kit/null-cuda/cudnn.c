/* cuDNN as far as ONNX Runtime's convolutions use it. Execution plans are counted apart from convolutions, since making one takes
   the real library milliseconds to seconds. What the count showed: the convolution of ONNX Runtime 1.30's CUDA provider keeps the
   plan of the last shape of its input only, so that a session whose batch sizes change makes all plans anew at every change. */
#include <stdint.h>
#include <stdlib.h>

#include "stand-in.h"

/* CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR and two of the attribute types, as in cudnn_graph.h of cuDNN 9. */
enum { EXECUTION_PLAN = 5 };
enum { TYPE_INT64 = 3, TYPE_BACKEND_DESCRIPTOR = 15 };

struct descriptor { int type; };

size_t cudnnGetVersion(void) { return 91900; }
size_t cudnnGetCudartVersion(void) { return 13000; }
int cudnnCreate(void **h) { *h = thing(); return 0; }
const char *cudnnGetErrorString(int s) { return "null"; }
void cudnnGetLastErrorString(char *text, size_t n) { if (n) *text = 0; }

int cudnnBackendCreateDescriptor(int type, void **out) {
  struct descriptor *made = calloc(1, sizeof *made);
  if (!made) return 1;
  made->type = type;
  *out = made;
  return 0;
}
int cudnnBackendDestroyDescriptor(void *d) { free(d); return 0; }
int cudnnBackendFinalize(void *d) {
  if (((struct descriptor *)d)->type == EXECUTION_PLAN) null_plan();
  return 0;
}
/* One engine, one configuration, zeros elsewhere; a descriptor was made by the caller, who wants it filled. */
int cudnnBackendGetAttribute(void *d, int name, int type, int64_t wanted, int64_t *found, void *out) {
  if (found) *found = 1;
  if (out && wanted > 0) {
    if (type == TYPE_INT64) *(int64_t *)out = 0;
    else if (type != TYPE_BACKEND_DESCRIPTOR) *(int *)out = 0;
  }
  return 0;
}
int cudnnBackendExecute() { null_convolution(); return 0; }
int cudnnConvolutionForward() { null_convolution(); return 0; }

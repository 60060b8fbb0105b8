/* cuBLAS: libraries.ts adds every function that multiplies matrices as one that counts, and the others as ones that return success. */
#include "stand-in.h"

int cublasCreate_v2(void **h) { *h = thing(); return 0; }
int cublasGetMathMode(void *h, int *m) { *m = 0; return 0; }
const char *cublasGetStatusString(int s) { return "null"; }
const char *cublasGetStatusName(int s) { return "null"; }

/* What a run brings back is zeros, as nothing is computed; but where a file of the folder NULL_CUDA_ANSWERS is as long as a copy to the
   host, the copy has its bytes. So a script decides what the host finds in the answers of its models. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stand-in.h"

static struct answer { size_t size; char *bytes; } *answers;
static int count;
static struct timespec changed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* An answer that cannot be read must not pass for zeros. */
static void check(int fine, const char *path) {
  if (fine) return;
  perror(path);
  abort();
}
static void read_answer(const char *path) {
  struct stat file;
  check(!stat(path, &file), path);
  if (!S_ISREG(file.st_mode) || !file.st_size) return;
  char *bytes = malloc(file.st_size);
  FILE *from = fopen(path, "rb");
  check(bytes && from && fread(bytes, file.st_size, 1, from) == 1, path);
  fclose(from);
  answers = realloc(answers, (count + 1) * sizeof *answers);
  answers[count++] = (struct answer){file.st_size, bytes};
}
/* Anew when the folder has changed: a script has other answers for another batch. */
static void read_answers(const char *path) {
  struct stat folder;
  /* Nobody has made it: there are none. */
  if (stat(path, &folder)) return;
  if (!memcmp(&folder.st_mtim, &changed, sizeof changed)) return;
  changed = folder.st_mtim;
  while (count) free(answers[--count].bytes);
  DIR *files = opendir(path);
  check(!!files, path);
  for (struct dirent *entry; (entry = readdir(files));) {
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    read_answer(file);
  }
  closedir(files);
}
int null_answer(void *to, size_t size) {
  const char *folder = getenv("NULL_CUDA_ANSWERS");
  if (!folder) return 0;
  pthread_mutex_lock(&lock);
  read_answers(folder);
  int found = 0;
  for (int i = 0; i < count && !found; i++)
    if (answers[i].size == size) memcpy(to, answers[i].bytes, size), found = 1;
  pthread_mutex_unlock(&lock);
  return found;
}

// A decoder that a video has taken over. Called for its version it answers as the program whose name it has; else by its first argument it
// tries everything that it should not be able to do and prints what came of it, line by line, or misbehaves in one way.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

extern char **environ;

static void say(const char *what, int failed) { printf("%s: %s\n", what, failed ? strerrorname_np(errno) : "done"); }

static void try_open(const char *what, const char *path) {
  int fd = open(path, O_RDONLY);
  say(what, fd < 0);
  if (fd >= 0) close(fd);
}

static void try_create(const char *folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/left-by-hostile-decoder", folder);
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  int failed = fd < 0 || write(fd, "x", 1) != 1;
  char what[4200];
  snprintf(what, sizeof what, "write %s", folder);
  say(what, failed);
}

// How many processes there are, and of how many the environment is that of a worker: a decoder has no HOME.
static void look_around(void) {
  int seen = 0, told = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    seen += 1;
    char path[300], text[65536];
    snprintf(path, sizeof path, "/proc/%s/environ", entry->d_name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) continue;
    ssize_t length = read(fd, text, sizeof text);
    if (length > 0 && memmem(text, length, "HOME=", 5) != NULL) told += 1;
    close(fd);
  }
  printf("processes: %d\nenvironments: %d\n", seen, told);
  for (char **variable = environ; *variable != NULL; variable++) printf("environment: %s\n", *variable);
  if (proc != NULL) closedir(proc);
  DIR *own = opendir("/proc/self/fd");
  for (struct dirent *entry; own != NULL && (entry = readdir(own)) != NULL;) {
    char path[300], target[300];
    snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
    ssize_t length = entry->d_name[0] == '.' ? -1 : readlink(path, target, sizeof target - 1);
    // The last one is the folder that is read.
    if (length > 0) printf("descriptor: %s %.*s\n", entry->d_name, (int)length, target);
  }
  FILE *status = fopen("/proc/self/status", "r");
  for (char line[256]; status != NULL && fgets(line, sizeof line, status) != NULL;)
    if (strncmp(line, "CapEff:\t", 8) == 0 || strncmp(line, "NoNewPrivs:\t", 12) == 0) {
      *strchr(line, '\t') = ' ';
      printf("%s", line);
    }
}

static void call_out(int port, const char *abstract) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  say("connect 127.0.0.1", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) != 0);
  struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = inet_addr("192.0.2.1")};
  say("route out", connect(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&far, sizeof far) != 0);
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  size_t length = strlen(abstract);
  memcpy(un.sun_path + 1, abstract, length);
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
  say("connect abstract", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&un, size) != 0);
  struct addrinfo *found = NULL;
  printf("resolve: %s\n", getaddrinfo("localhost.localdomain", "80", NULL, &found) == 0 ? "done" : "failed");
}

static void linger(const char *name) {
  if (fork() != 0) return;
  setsid();
  if (fork() != 0) _exit(0);
  prctl(PR_SET_NAME, name);
  for (int fd = 0; fd < 16; fd++) close(fd);
  for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
  for (;;) sleep(600);
}

// Has as many children at once as it gets, and as it is told at the most.
static void fork_on(int most) {
  int children = 0;
  for (; children < most; children++) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0) for (;;) pause();
  }
  printf("children: %d %s\n", children, children < most ? strerrorname_np(errno) : "done");
  sleep(600);
}

static void limits(void) {
  struct rlimit as, cpu, core, size;
  getrlimit(RLIMIT_AS, &as), getrlimit(RLIMIT_CPU, &cpu), getrlimit(RLIMIT_CORE, &core), getrlimit(RLIMIT_FSIZE, &size);
  printf("limits: %llu %llu %llu %llu\n", (unsigned long long)as.rlim_max, (unsigned long long)cpu.rlim_cur,
         (unsigned long long)core.rlim_max, (unsigned long long)size.rlim_max);
}

// explore FOLDERS... -- FILES... -- PORT ABSTRACT LINGERER VIDEO
static void explore(char **argument) {
  look_around();
  limits();
  try_open("read /etc/passwd", "/etc/passwd");
  for (; strcmp(*argument, "--") != 0; argument++) try_create(*argument);
  char what[4200];
  for (argument++; strcmp(*argument, "--") != 0; argument++) {
    snprintf(what, sizeof what, "read %s", *argument);
    try_open(what, *argument);
  }
  call_out(atoi(argument[1]), argument[2]);
  // It does not stop whom it seizes: without a sandbox that is the worker.
  say("ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0) != 0);
  say("ptrace first", ptrace(PTRACE_SEIZE, 1, 0, 0) != 0);
  say("more namespaces", unshare(CLONE_NEWUSER) != 0);
  struct stat video;
  printf("video: %s %lld\n", argument[4], stat(argument[4], &video) == 0 ? (long long)video.st_size : -1);
  say("write video", open(argument[4], O_WRONLY) < 0);
  linger(argument[3]);
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  // What a limit of files does to a program that goes on.
  signal(SIGXFSZ, SIG_IGN);
  const char *act = count > 1 ? arguments[1] : "";
  char *slash = strrchr(arguments[0], '/');
  if (strcmp(act, "-version") == 0) printf("%s version 1.0-hostile\n", slash == NULL ? arguments[0] : slash + 1);
  else if (strcmp(act, "explore") == 0) explore(arguments + 2);
  else if (strcmp(act, "segv") == 0) fprintf(stderr, "[error] it goes wrong\n"), signal(SIGSEGV, SIG_DFL), raise(SIGSEGV);
  else if (strcmp(act, "exit") == 0) return atoi(arguments[2]);
  else if (strcmp(act, "raise") == 0) kill(getpid(), atoi(arguments[2]));
  else if (strcmp(act, "fork") == 0) fork_on(atoi(arguments[2]));
  else if (strcmp(act, "burn") == 0) for (;;) ;
  else if (strcmp(act, "linger") == 0) {
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    linger(arguments[2]);
    printf("lingering\n");
    for (;;) sleep(600);
  }
  return 0;
}

/*
 * Makes the disk under a journal fail: once the file named by MAILRAFT_FAULT exists,
 * the calls that it names ("write", "sync") answer EIO for files below a folder
 * "journal". Each failed call adds a line to a file beside it.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char fault[4096];

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("MAILRAFT_FAULT");
  if (path != NULL) snprintf(fault, sizeof fault, "%s", path);
  /* What the daemon starts has a disk of its own. */
  unsetenv("LD_PRELOAD");
}

static int is_hit(int fd, const char *call) {
  char link[64], path[4096], text[64] = "", calls[4200];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  if (strstr(path, "/journal/") == NULL) return 0;
  int file = open(fault, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
  close(file);
  if (strstr(text, call) == NULL) return 0;
  snprintf(calls, sizeof calls, "%s.calls", fault);
  FILE *list = fopen(calls, "a");
  if (list != NULL) {
    fprintf(list, "%s %s\n", call, path);
    fclose(list);
  }
  errno = EIO;
  return 1;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return is_hit(fd, "sync") ? -1 : real(fd);
}

int fsync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return is_hit(fd, "sync") ? -1 : real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  return is_hit(fd, "write") ? -1 : real(fd, bytes, count);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) real = (ssize_t (*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  return is_hit(fd, "write") ? -1 : real(fd, parts, count);
}

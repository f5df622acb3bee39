/* The yardstick for a pause: copies the first BYTES of a process's own data with process_vm_readv into
 * memory that is already there, and prints the seconds that the copy alone took.
 *
 *   bulk_copy PID BYTES */
#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

enum { kRanges = 1024, kPage = 4096 };

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: bulk_copy PID BYTES");
  pid_t pid = atoi(argv[1]);
  size_t wanted = strtoull(argv[2], NULL, 10), found = 0, count = 0;
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  static struct iovec remote[kRanges];
  for (int others = 0; others <= 1 && found < wanted; ++others) { /* what is not enough is filled up with mapped files */
    FILE *maps = fopen(path, "r");
    if (!maps) err(1, "%s", path);
    while (count < kRanges && found < wanted && fgets(line, sizeof line, maps)) {
      unsigned long start, end, inode;
      char rights[8];
      if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &start, &end, rights, &inode) != 4) continue;
      int is_data = strncmp(rights, "rw-p", 4) == 0 && inode == 0 && !strstr(line, "[stack]");
      if (others ? rights[0] != 'r' || inode == 0 : !is_data) continue;
      size_t size = end - start < wanted - found ? end - start : wanted - found;
      remote[count].iov_base = (void *)start;
      remote[count++].iov_len = size;
      found += size;
    }
    fclose(maps);
  }
  if (found < wanted) errx(1, "the process has %zu bytes, not %zu", found, wanted);
  char *copy = malloc(wanted);
  if (!copy) err(1, "malloc");
  memset(copy, 1, wanted);
  double start = seconds_now();
  size_t done = 0;
  for (size_t i = 0; i < count; ++i) { /* one call a mapping: calls are few, ranges are large */
    for (size_t at = 0; at < remote[i].iov_len;) {
      size_t rest = remote[i].iov_len - at;
      struct iovec from = {(char *)remote[i].iov_base + at, rest < (1u << 30) ? rest : 1u << 30};
      struct iovec into = {copy + done, from.iov_len};
      ssize_t got = process_vm_readv(pid, &into, 1, &from, 1, 0);
      if (got <= 0) { /* a guard page: stacks of threads have one inside their mapping */
        at += kPage;
        continue;
      }
      at += (size_t)got;
      done += (size_t)got;
    }
  }
  double took = seconds_now() - start;
  if (done < wanted - wanted / 20) errx(1, "only %zu bytes of %zu can be read", done, wanted);
  printf("%.9f\n", took);
  return 0;
}

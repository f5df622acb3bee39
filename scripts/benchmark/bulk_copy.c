/* The yardstick for a pause: copies BYTES of a process's own data with process_vm_readv into memory that is already there,
 * and prints the seconds that the copy alone took.
 *
 *   bulk_copy PID BYTES
 *
 * Only pages that the process has are read: a page that it has not touched would be made by that, and whoever copies it
 * next would have more to do. */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kMostRuns = 1 << 18, kEntries = 4096, kPage = 4096 };

static struct iovec runs[kMostRuns]; /* neighbouring pages */
static size_t count, found;

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_page(uintptr_t page, size_t wanted) {
  if (found >= wanted) return;
  size_t size = wanted - found < kPage ? wanted - found : kPage;
  struct iovec *last = count > 0 ? &runs[count - 1] : NULL;
  found += size;
  if (last && (uintptr_t)last->iov_base + last->iov_len == page) {
    last->iov_len += size;
  } else if (count < kMostRuns) {
    runs[count++] = (struct iovec){(void *)page, size};
  }
}

/* Documentation/admin-guide/mm/pagemap.rst: bit 63 says present, bit 61 of a file or shared. */
static void add_present(int pagemap, uintptr_t start, uintptr_t end, int of_files, size_t wanted) {
  uint64_t entries[kEntries];
  for (uintptr_t at = start; at < end && found < wanted; at += (uintptr_t)kEntries * kPage) {
    ssize_t got = pread(pagemap, entries, sizeof entries, (off_t)(at / kPage * sizeof entries[0]));
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof entries[0] && at + i * kPage < end; ++i) {
      if (entries[i] >> 63 && (int)(entries[i] >> 61 & 1) == of_files) add_page(at + i * kPage, wanted);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: bulk_copy PID BYTES");
  pid_t pid = atoi(argv[1]);
  size_t wanted = strtoull(argv[2], NULL, 10);
  char path[64], line[4096];
  snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
  int pagemap = open(path, O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) err(1, "%s", path);
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  for (int of_files = 0; of_files <= 1; ++of_files) { /* what is not enough is filled up with mapped files */
    FILE *maps = fopen(path, "r");
    if (!maps) err(1, "%s", path);
    while (found < wanted && fgets(line, sizeof line, maps)) {
      unsigned long start, end;
      char rights[8];
      if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[0] != 'r') continue;
      if (!of_files && strncmp(rights, "rw-p", 4) != 0) continue;
      add_present(pagemap, start, end, of_files, wanted);
    }
    fclose(maps);
  }
  if (found < wanted) errx(1, "the process has %zu bytes, not %zu", found, wanted);
  char *copy = malloc(wanted);
  if (!copy) err(1, "malloc");
  memset(copy, 1, wanted);
  double start = seconds_now();
  size_t done = 0;
  for (size_t i = 0; i < count;) {
    struct iovec into = {copy + done, 0};
    size_t together = 0; /* as many as one call takes */
    while (i + together < count && together < 1024 && into.iov_len < 1u << 29) into.iov_len += runs[i + together++].iov_len;
    ssize_t got = process_vm_readv(pid, &into, 1, &runs[i], together, 0);
    if (got > 0) done += (size_t)got;
    i += together;
  }
  double took = seconds_now() - start;
  if (done < wanted - wanted / 20) errx(1, "only %zu bytes of %zu can be read", done, wanted);
  printf("%.9f\n", took);
  return 0;
}

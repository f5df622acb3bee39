/* A thread inside the target that feels when the target stands still.
 *
 * It sleeps for 50 microseconds over and over and keeps the longest time between two of its wake-ups in a page that it
 * shares with measure.c. It needs no GIL, and real-time priority where that is allowed, so that what it sees is the pause
 * and not Python or the scheduler. */
#define _GNU_SOURCE
#include "pause_probe.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

static struct pause_record *shared;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *feel(void *unused) {
  (void)unused;
  struct sched_param priority = {.sched_priority = 1};
  pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority); /* refused without CAP_SYS_NICE: more noise, same meaning */
  prctl(PR_SET_TIMERSLACK, 1L);
  int64_t last = now_ns();
  for (;;) {
    struct timespec nap = {0, 50000};
    nanosleep(&nap, NULL);
    int64_t now = now_ns();
    if (now - last > atomic_load(&shared->longest_ns)) atomic_store(&shared->longest_ns, now - last);
    last = now;
    atomic_fetch_add(&shared->beats, 1);
  }
  return NULL;
}

/* Called through ctypes with the descriptor of the shared page. */
int start_pause_probe(int descriptor) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (shared == MAP_FAILED) return -1;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int failed = pthread_create(&thread, NULL, feel, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed ? -1 : 0;
}

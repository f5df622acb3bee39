/* Runs one command and says what it cost: wall time, CPU time, peak memory, and the longest pause that the target felt.
 *
 *   measure [-r ROOT (-d DIRECTORY | -n PID)] [-g PROBE_FD] [-t SECONDS] [-o REPORT_FD] [-x] COMMAND...
 *
 * -r changes the root to ROOT, in a mount namespace of its own in which ROOT/proc is /proc and ROOT/tmp is DIRECTORY, or in
 * that of process PID, which was started so: some tools find the files of a process only if they see it where it sees them.
 * All run with precedence over what else the machine does, where that is allowed.
 * -x becomes the command instead of measuring it. A program of its own because the kernel counts the memory of the
 * process that starts a command towards the command's peak: this one is small. */
#define _GNU_SOURCE
#include "pause_probe.h"

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t child;
static volatile sig_atomic_t timed_out;

static void on_alarm(int signal_number) {
  (void)signal_number;
  timed_out = 1;
  kill(child, SIGKILL);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval value) { return (double)value.tv_sec + (double)value.tv_usec / 1e6; }

static void enter_root(const char *root, const char *directory, const char *neighbour) {
  char place[4096];
  if (neighbour) {
    snprintf(place, sizeof place, "/proc/%s/ns/mnt", neighbour);
    int space = open(place, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNS) != 0) err(125, "%s", place);
    if (chroot(root) != 0 || chdir("/tmp") != 0) err(125, "chroot %s", root);
    return;
  }
  if (unshare(CLONE_NEWNS) != 0) err(125, "unshare");
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) err(125, "mount /");
  snprintf(place, sizeof place, "%s/proc", root);
  if (mount("/proc", place, NULL, MS_BIND | MS_REC, NULL) != 0) err(125, "mount %s", place);
  snprintf(place, sizeof place, "%s/tmp", root);
  if (mount(directory, place, NULL, MS_BIND, NULL) != 0) err(125, "mount %s", place);
  if (chroot(root) != 0 || chdir("/tmp") != 0) err(125, "chroot %s", root);
}

/* Refused without CAP_SYS_NICE: what else the machine does is then measured as well. */
static void take_precedence(void) {
  setpriority(PRIO_PROCESS, 0, -15);
  setsid(); /* where the scheduler groups processes by session, the priority of the group is what counts */
  int group = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (group < 0) return;
  if (write(group, "-15", 3) < 0) warn("autogroup");
  close(group);
}

static void wait_for_beats(struct pause_record *record, int64_t beats) {
  int64_t from = atomic_load(&record->beats);
  double until = seconds_now() + 5; /* a target that has died beats no more */
  while (atomic_load(&record->beats) - from < beats && seconds_now() < until) sched_yield();
}

int main(int argc, char **argv) {
  const char *root = NULL, *directory = NULL, *neighbour = NULL;
  int probe = -1, report = 1, become = 0;
  unsigned limit = 60;
  for (int option; (option = getopt(argc, argv, "+r:d:n:g:t:o:x")) != -1;) {
    switch (option) {
      case 'r': root = optarg; break;
      case 'd': directory = optarg; break;
      case 'n': neighbour = optarg; break;
      case 'g': probe = atoi(optarg); break;
      case 't': limit = (unsigned)atoi(optarg); break;
      case 'o': report = atoi(optarg); break;
      case 'x': become = 1; break;
      default: return 125;
    }
  }
  if (optind >= argc) errx(125, "a command is missing");
  take_precedence();
  if (root) enter_root(root, directory, neighbour);
  if (become) {
    execvp(argv[optind], argv + optind);
    err(127, "%s", argv[optind]);
  }

  struct pause_record *record = NULL;
  if (probe >= 0) {
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED, probe, 0);
    if (record == MAP_FAILED) err(125, "probe");
    wait_for_beats(record, 2);
    atomic_store(&record->longest_ns, 0);
  }
  sigset_t alarms, before;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  sigprocmask(SIG_BLOCK, &alarms, &before); /* not before the child's number is known */
  signal(SIGALRM, on_alarm);
  double start = seconds_now();
  pid_t pid = fork();
  if (pid < 0) err(125, "fork");
  if (pid == 0) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[optind], argv + optind);
    err(127, "%s", argv[optind]);
  }
  child = pid;
  alarm(limit);
  sigprocmask(SIG_SETMASK, &before, NULL);
  int status;
  struct rusage usage;
  while (wait4(pid, &status, 0, &usage) < 0) {
  }
  double wall = seconds_now() - start;
  alarm(0);
  double felt = 0;
  if (record) {
    wait_for_beats(record, 2);
    felt = (double)atomic_load(&record->longest_ns) / 1e9;
  }
  dprintf(report, "{\"wall\": %.9f, \"cpu\": %.6f, \"peak_bytes\": %lld, \"felt_pause\": %.9f, \"exit\": %d, \"timed_out\": %s}\n",
          wall, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), (long long)usage.ru_maxrss * 1024, felt,
          WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), timed_out ? "true" : "false");
  return 0;
}

// What the system says of a process: plain values, gathered by a Target, stored in a Snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "address.h"

namespace asyncspy {

// One line of /proc/PID/maps.
struct Mapping {
  Address start;
  Address end;  // one past the last byte
  bool readable = false;
  bool writable = false;
  bool executable = false;
  bool shared = false;
  std::uint64_t file_offset = 0;
  std::uint64_t inode = 0;  // 0: anonymous
  std::string path;         // as the reader sees it, without " (deleted)"; "[stack]", "[heap]" or empty when anonymous
  bool deleted = false;
};

// General registers that matter to us, x86-64 (user_regs_struct).
struct Registers {
  std::uint64_t instruction_pointer = 0;
  std::uint64_t stack_pointer = 0;
  std::uint64_t frame_pointer = 0;
  std::uint64_t thread_base = 0;  // fs_base: the TCB, equal to pthread_self
  std::uint64_t rax = 0;
  std::uint64_t rbx = 0;
  std::uint64_t r12 = 0;
  std::uint64_t r13 = 0;
  std::uint64_t r14 = 0;
  std::uint64_t r15 = 0;
};

// A system call that a thread was in, with raw arguments.
struct SystemCall {
  int number = -1;
  std::uint64_t arguments[6] = {};
};

struct ThreadFacts {
  int tid = 0;            // as seen by asyncspy
  int namespace_tid = 0;  // as the target sees it (last of NSpid)
  std::string name;       // comm
  char state = '?';       // R S D T t Z X as before the stop, see proc(5)
  std::uint64_t cpu_time_ns = 0;            // user + system
  std::optional<Registers> registers;       // absent when the thread was not stopped
  std::optional<SystemCall> system_call;    // absent: in user mode, or not known
  bool in_user_mode = false;                // registers or procfs prove that it was in no system call
  bool sleeps_in_epoll = false;             // by the name of a function of the kernel; said only where its call can not be read
};

// One interesting ELF file mapped into the process: where its symbols ended up in memory.
struct LoadedImage {
  std::string path;        // as shown in maps
  std::uint64_t bias = 0;  // add to st_value
  Address runtime;         // _PyRuntime, or null
  Address version;         // Py_Version (3.11+), or null
  Address asyncio_debug;   // section .AsyncioDebug (3.14+), or null
  Address interpreter_head;    // function PyInterpreterState_Head, or null
  Address hash_secret;     // _Py_HashSecret, or null
  bool looks_like_pypy = false;  // exports PyPy's symbols
  std::string build_id;    // lower-case hex, or empty
  std::string root;        // below which asyncspy finds the target's files, as "/proc/PID/root"; empty: nowhere else
};

struct ProcessFacts {
  int pid = 0;            // as seen by asyncspy
  int namespace_pid = 0;  // as the target sees itself (last of NSpid)
  std::vector<std::string> command_line;
  std::string executable;  // readlink of exe, without " (deleted)"
  bool executable_deleted = false;
  std::string name;  // comm
  char state = '?';
  int tracer_pid = 0;  // 0: none
  int forked_from = 0;  // pid of its parent, when it is a fork of that without exec; 0: it is none, or that is not known
  std::uint32_t user_id = 0;
  double uptime_seconds = 0;        // since the process started, at the time of capture
  std::uint64_t resident_bytes = 0;
  bool other_root = false;             // its root directory or mount namespace is not ours
  std::vector<Mapping> mappings;
  std::vector<LoadedImage> images;  // only those with a non-null symbol
  std::string auxiliary_vector;     // what the kernel told the process at its start, Elf64_auxv_t each; may be empty
};

// What a file descriptor of the target is.
struct Descriptor {
  enum class Kind { kFile, kPipe, kSocket, kEvent, kOther, kUnknown };
  int number = -1;
  Kind kind = Kind::kUnknown;
  std::string path;      // the link of /proc/PID/fd/N, as is: "/tmp/x", "pipe:[123]", "socket:[456]"
  std::string protocol;  // sockets: "tcp", "tcp6", "udp", "udp6", "unix", or empty when not found
  std::string local;     // sockets: "127.0.0.1:8080", "[::1]:80", unix path
  std::string peer;      // sockets: likewise, empty when not connected or unknown
  std::string tcp_state;  // "ESTABLISHED", "SYN_SENT", ... or empty
  std::uint64_t receive_queue = 0;  // bytes
  std::uint64_t send_queue = 0;     // bytes
};

// A child of the target.
struct ChildProcess {
  int pid = 0;            // as seen by asyncspy
  int namespace_pid = 0;  // as the child sees itself, which the target sees, too, unless the child has a namespace of its own; 0: not known
  char state = '?';       // R S D T Z, see proc(5)
  std::string name;       // comm
  std::string command;    // its arguments, joined and cut; empty for a zombie
};

}  // namespace asyncspy

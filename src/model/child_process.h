// A child of the inspected process, as the kernel tells.
#pragma once

#include <string>

namespace asyncspy {

struct ChildProcess {
  int pid = 0;            // as seen by asyncspy
  int namespace_pid = 0;  // as the target sees it; 0: not known
  char state = '?';       // R S D T Z, see proc(5)
  std::string name;       // comm
  std::string command;    // its arguments, joined; empty for a zombie
};

}  // namespace asyncspy

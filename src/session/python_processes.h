// Finds the processes of this machine that may hold a Python interpreter, by a look at procfs only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace asyncspy {

struct Candidate {
  int pid = 0;
  std::string name;  // comm
  std::vector<std::string> command_line;
};

struct Candidates {
  std::vector<Candidate> processes;  // by ascending pid
  std::size_t hidden = 0;            // their mappings can not be read, and nothing else says Python
};

// asyncspy itself and kernel threads are left out.
[[nodiscard]] Candidates find_python_processes();

// All processes, by ascending pid.
[[nodiscard]] std::vector<int> list_processes();

// Nothing when the process is no Python, as far as can be seen, or has ended.
[[nodiscard]] std::optional<Candidate> examine_process(int pid);

}  // namespace asyncspy

// `asyncspy top`: watches processes, keeps the model and either shows it on a terminal, where keys change the view, or writes it
// as plain text again and again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process_watch.h"
#include "result.h"
#include "terminal.h"

namespace asyncspy {

struct TopOptions {
  std::vector<int> pids;
  std::string wait_name;        // of the process to watch when there is none (any more), or empty
  bool subprocesses = false;    // the children of these processes, too
  WatchOptions watch{};
  ColourUse colours = ColourUse::kWhereThereAre;
  int batch_count = 0;          // of batches; 0: until something ends it
  int batch_width = 160;        // columns
};

// What the program needs from outside. All of them are given.
struct TopServices {
  std::function<std::optional<int>(const std::string& name, int but)> find_process;  // the newest one with this in its command line
  std::function<std::vector<int>(int pid)> find_children;                             // Python processes among them
  std::function<Result<std::string>(const Report&)> save;                             // says where
  std::function<bool(std::string_view)> print;                                        // false: nothing more can be written
};

// How it ended.
struct TopEnd {
  int signal = 0;  // that asked for it; 0: a person did
};

[[nodiscard]] Result<TopEnd> run_top_screen(const TopOptions& options, const TopServices& services);
[[nodiscard]] Result<void> run_top_batch(const TopOptions& options, const TopServices& services);

}  // namespace asyncspy

// The processes that are watched together, and the model of all of them: workers that come and go, and the next process of a name.
#pragma once

#include <vector>

#include "process_watch.h"
#include "top_model.h"
#include "top_program.h"

namespace asyncspy {

class WatchedSet {
 public:
  WatchedSet(const TopOptions& options, const TopServices& services);

  // The first look at each. Fails when none of them can be read and nothing is awaited.
  [[nodiscard]] Result<void> begin(double now);

  // Whatever is due. True: there is something new to see.
  bool step(double now);

  [[nodiscard]] double next_due() const;

  // Costs as of now.
  void measure(double now);

  [[nodiscard]] TopModel& model() { return model_; }
  [[nodiscard]] bool is_over() const;  // all have ended, and no other one is awaited

 private:
  void add(int pid);
  void add_children();
  bool pick_up_next(double now);

  const TopOptions& options_;
  const TopServices& services_;
  TopModel model_;
  std::vector<ProcessWatch> watches_;  // beside model_.processes
  ShareMeter cpu_;
  double cpu_before_ = 0;
  double next_search_ = 0;
};

}  // namespace asyncspy

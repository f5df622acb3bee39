#include "top_program.h"

#include <algorithm>
#include <thread>

#include "own_cost.h"
#include "screen.h"
#include "watched_set.h"

namespace asyncspy {
namespace {

constexpr double kLongestWait = 1;  // seconds

class ScreenProgram {
 public:
  ScreenProgram(WatchedSet& watched, const TopServices& services, Terminal& terminal, double drawing_interval)
      : watched_(watched), services_(services), terminal_(terminal), drawing_interval_(drawing_interval) {
    if (watched.model().processes.size() > 1) view_.pane = Pane::kWorkers;
  }

  TopEnd run() {
    while (true) {
      const double now = monotonic_seconds();
      if (!view_.is_frozen && watched_.step(now)) next_drawing_ = 0;
      if (monotonic_seconds() >= next_drawing_) draw();
      Key key;
      switch (terminal_.wait(seconds_to_wait(), key)) {
        case TerminalEvent::kSignal: return {Terminal::signal_number()};
        case TerminalEvent::kHangUp: return {};
        case TerminalEvent::kResize: next_drawing_ = 0; break;
        case TerminalEvent::kNothing: break;
        case TerminalEvent::kKey:
          if (!take_key(key)) return {};
          next_drawing_ = 0;
          break;
      }
    }
  }

 private:
  void draw() {
    const double now = monotonic_seconds();
    const double cpu_before = processor_seconds();
    watched_.measure(now);
    Grid grid(terminal_.width(), terminal_.height(), terminal_.charset());
    screen_.draw(grid, watched_.model(), view_);
    terminal_.show(grid);
    pacing_.note_drawing(processor_seconds() - cpu_before);
    next_drawing_ = now + (view_.is_frozen ? kLongestWait * 10 : std::max(drawing_interval_, pacing_.drawing_interval()));
  }

  [[nodiscard]] double seconds_to_wait() const {
    const double due = view_.is_frozen ? next_drawing_ : std::min(next_drawing_, watched_.next_due());
    return std::clamp(due - monotonic_seconds(), 0.0, kLongestWait);
  }

  // False: it is over.
  bool take_key(Key key) {
    switch (apply_key(view_, key, screen_.context(watched_.model(), view_))) {
      case TopAction::kQuit: return false;
      case TopAction::kSave: save(); break;
      case TopAction::kFreeze: view_.message = view_.is_frozen ? "frozen: nothing is read until space is pressed again" : ""; break;
      case TopAction::kNone: break;
    }
    return true;
  }

  void save() {
    const TopModel& model = watched_.model();
    if (view_.process >= model.processes.size() || !model.processes[view_.process].report()) {
      view_.message = "nothing to save yet";
      return;
    }
    const auto saved = services_.save(*model.processes[view_.process].report());
    view_.message = saved ? "saved: " + *saved : "not saved: " + saved.error().what;
  }

  WatchedSet& watched_;
  const TopServices& services_;
  Terminal& terminal_;
  double drawing_interval_;
  Screen screen_;
  TopView view_;
  Pacing pacing_;
  double next_drawing_ = 0;
};

}  // namespace

Result<TopEnd> run_top_screen(const TopOptions& options, const TopServices& services) {
  WatchedSet watched(options, services);
  if (auto begun = watched.begin(monotonic_seconds()); !begun) return std::unexpected(std::move(begun.error()));
  auto terminal = Terminal::open(options.colours);
  if (!terminal) return std::unexpected(std::move(terminal.error()));
  constexpr double kFastest = 0.25;
  return ScreenProgram(watched, services, **terminal, std::min(kFastest, options.watch.limits.full_interval)).run();
}

Result<void> run_top_batch(const TopOptions& options, const TopServices& services) {
  WatchedSet watched(options, services);
  if (auto begun = watched.begin(monotonic_seconds()); !begun) return begun;
  TopView view;
  for (int batch = 0; options.batch_count == 0 || batch < options.batch_count; ++batch) {
    bool news = batch == 0 && !watched.model().processes.empty();
    while (!news && !watched.is_over()) {
      const double left = watched.next_due() - monotonic_seconds();
      if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, kLongestWait)));
      news = watched.step(monotonic_seconds());
    }
    watched.measure(monotonic_seconds());
    if (!services.print(render_batch(watched.model(), view, options.batch_width, Charset::kAscii))) return {};
    if (watched.is_over()) return {};
  }
  return {};
}

}  // namespace asyncspy

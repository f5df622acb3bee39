// The terminal: the only place that calls curses. Shows grids, hands out keys, and leaves the terminal as it found it whatever
// happens: an exception, a signal that ends the program, a crash.
#pragma once

#include <memory>

#include "grid.h"
#include "result.h"
#include "top_view.h"

namespace asyncspy {

enum class TerminalEvent : std::uint8_t { kNothing, kKey, kResize, kSignal, kHangUp };

enum class ColourUse : std::uint8_t { kWhereThereAre, kNone };

class Terminal {
 public:
  // Takes the screen over. Fails when standard input or output is no terminal, or of a kind that is not known.
  [[nodiscard]] static Result<std::unique_ptr<Terminal>> open(ColourUse colours);

  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  [[nodiscard]] int width() const;
  [[nodiscard]] int height() const;
  [[nodiscard]] Charset charset() const { return charset_; }

  void show(const Grid& grid);

  // Waits for one event, at most so long. kKey: it is in `key`. kSignal: see signal_number().
  [[nodiscard]] TerminalEvent wait(double seconds, Key& key);

  // That asked the program to end: SIGINT, SIGTERM or SIGHUP; 0: none.
  [[nodiscard]] static int signal_number();

 private:
  Terminal() = default;

  Charset charset_ = Charset::kAscii;
  bool has_colours_ = false;
};

}  // namespace asyncspy

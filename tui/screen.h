// The whole screen: which panel stands where, and which rows and lines it shows. Keeps what is costly to make until the report or
// the choice changes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "panels.h"

namespace asyncspy {

class Screen {
 public:
  // Draws everything into the grid. `view` is adjusted to what there is: a loop that has gone is not chosen any more.
  void draw(Grid& grid, const TopModel& model, TopView& view);

  // As last drawn, for keys.
  [[nodiscard]] KeyContext context(const TopModel& model, const TopView& view) const;

 private:
  void update_rows(const ProcessModel& process, const TopView& view);
  void update_lines(const TopModel& model, const TopView& view);
  [[nodiscard]] std::size_t scroll_to(std::size_t cursor, std::size_t page);

  struct RowsMade {
    int pid = 0;
    std::uint64_t serial = 0;
    RowUnit unit = RowUnit::kGroups;
    std::size_t loop = 0;
    bool operator==(const RowsMade&) const = default;
  };
  RowsMade made_;
  std::vector<TopRow> all_rows_;  // of the loop
  std::vector<TopRow> rows_;      // sorted and filtered
  std::vector<std::string> lines_;
  std::size_t first_ = 0;         // row of the table that is at its top
  std::size_t page_ = 1;
};

// The text of a screen that has as many rows as it needs: for pipes.
[[nodiscard]] std::string render_batch(const TopModel& model, TopView view, int width, Charset charset);

}  // namespace asyncspy

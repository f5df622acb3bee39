// Arguments and local variables of frames: which names a frame has bound, and to what, as text.
//
// Not read unless asked for: values lie all over the heap, and reading them costs as much as the rest of a report.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "inspection.h"
#include "represent.h"
#include "variable.h"

namespace asyncspy {

class LocalsReader {
 public:
  LocalsReader(Inspection& inspection, RepresentOptions options)
      : inspection_(inspection), representer_(inspection.reader, inspection.types, options) {}

  // Gives each frame its locals, as an index into what take() yields. `addresses` are the frame structures beside the frames; a
  // frame without one has no locals.
  void attach(std::span<Frame> frames, std::span<const Address> addresses);

  [[nodiscard]] std::vector<FrameLocals> take() { return std::move(all_); }

 private:
  struct Place {
    std::string name;
    VariableKind kind = VariableKind::kLocal;
    bool is_cell = false;  // the value may be, or is, in a cell
  };

  [[nodiscard]] FrameLocals read(Address frame);
  [[nodiscard]] Result<FrameLocals> read_values(Address frame);
  [[nodiscard]] Result<const std::vector<Place>*> places_of(Address code);
  [[nodiscard]] Result<std::vector<Place>> read_places(Address code);
  [[nodiscard]] Result<std::vector<Place>> read_separate_places(Address code);  // 3.7-3.10
  [[nodiscard]] Result<std::vector<Place>> read_joined_places(Address code);    // 3.11+
  [[nodiscard]] Result<std::size_t> count_arguments(Address code);
  [[nodiscard]] Result<void> add_names(Address tuple, VariableKind kind, bool is_cell, std::vector<Place>& places);
  // What is bound, as text; empty when nothing is.
  [[nodiscard]] std::string show(const Place& place, Address stored);

  Inspection& inspection_;
  Representer representer_;
  std::unordered_map<Address, std::vector<Place>> places_;  // by code object
  std::unordered_map<Address, std::string> shown_;          // objects that many frames refer to, such as `self`
  std::vector<FrameLocals> all_;
};

}  // namespace asyncspy

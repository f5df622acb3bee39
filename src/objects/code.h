// Code objects, read once each: names, and lines by instruction.
#pragma once

#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "address_map.h"
#include "frame.h"
#include "object_reader.h"

namespace asyncspy {

struct Code {
  Address address;
  FunctionIndex function = kNoFunction;
  std::int32_t flags = 0;
  std::int32_t first_line = 0;
  std::int64_t size = 0;            // bytes of bytecode
  Address start;                    // of the bytecode
  std::vector<std::byte> line_table;
  std::unordered_map<std::int64_t, std::int32_t> lines;  // by offset, as far as asked for

  // What was asked for last is mostly what is asked for next: tasks stand in the same places.
  std::int64_t last_offset = std::numeric_limits<std::int64_t>::min();
  std::int32_t last_line = 0;
  Address last_own_name;                   // str object with the name of a generator made from this code
  std::uint32_t last_own_index = kNoFunction;  // see find_own_name()
};

// Collects the functions of a report while frames are read.
class CodeTable {
 public:
  // The code object at `address`, checked to be one. The pointer stays valid as long as the table.
  [[nodiscard]] Result<Code*> find(const ObjectReader& reader, Address address);

  // The line of the instruction at byte `offset`; 0 when there is none.
  [[nodiscard]] std::int32_t line_at(const ObjectReader& reader, Code& code, std::int64_t offset);

  [[nodiscard]] const std::vector<Function>& functions() const { return functions_; }

  // The code object that the function was read from.
  [[nodiscard]] Address address_of(FunctionIndex function) const { return codes_[function].address; }
  [[nodiscard]] std::vector<Function> take_functions() { return std::move(functions_); }

 private:
  std::deque<Code> codes_;  // which never move
  AddressMap<Code*> index_;
  std::vector<Function> functions_;  // beside codes_
  Address code_type_;  // the type "code", once seen
};

}  // namespace asyncspy

// Code objects, read once each: names, and lines by instruction.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "frame.h"
#include "object_reader.h"

namespace asyncspy {

struct Code {
  FunctionIndex function = kNoFunction;
  std::int32_t flags = 0;
  std::int32_t first_line = 0;
  std::int64_t size = 0;            // bytes of bytecode
  Address start;                    // of the bytecode
  std::vector<std::byte> line_table;
  std::unordered_map<std::int64_t, std::int32_t> lines;  // by offset, as far as asked for
};

// Collects the functions of a report while frames are read.
class CodeTable {
 public:
  // The code object at `address`, checked to be one. The pointer stays valid as long as the table.
  [[nodiscard]] Result<Code*> find(const ObjectReader& reader, Address address);

  // The line of the instruction at byte `offset`; 0 when there is none.
  [[nodiscard]] std::int32_t line_at(const ObjectReader& reader, Code& code, std::int64_t offset);

  [[nodiscard]] const std::vector<Function>& functions() const { return functions_; }
  [[nodiscard]] std::vector<Function> take_functions() { return std::move(functions_); }

 private:
  std::unordered_map<Address, Code> codes_;
  std::vector<Function> functions_;
  Address code_type_;  // the type "code", once seen
};

}  // namespace asyncspy

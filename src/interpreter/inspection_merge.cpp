#include "inspection_merge.h"

namespace asyncspy {
namespace {

// The place of what is known by that index, which is kNoFunction when nothing is.
std::uint32_t& place_of(std::vector<std::uint32_t>& known, std::uint32_t index) {
  if (index >= known.size()) known.resize(std::size_t{index} + 1, kNoFunction);
  return known[index];
}

}  // namespace

std::uint32_t InspectionMerge::adopt_name(std::uint32_t name) {
  if (name == kNoFunction) return name;
  std::uint32_t& known = place_of(names_, name);
  if (known == kNoFunction) known = into_.names.index_of(std::string(from_.names.name(name)));
  return known;
}

Result<FunctionIndex> InspectionMerge::adopt_function(FunctionIndex function) {
  if (function == kNoFunction) return function;
  std::uint32_t& known = place_of(functions_, function);
  if (known == kNoFunction) {
    ASYNCSPY_TRY(code, into_.codes.find(into_.reader, from_.codes.address_of(function)));
    known = code->function;
  }
  return known;
}

Result<void> InspectionMerge::adopt(Frame& frame) {
  frame.type_name = adopt_name(frame.type_name);
  frame.name = adopt_name(frame.name);
  auto function = adopt_function(frame.function);
  frame.function = function ? *function : kNoFunction;
  if (!function) return std::unexpected(std::move(function.error()));
  return {};
}

}  // namespace asyncspy

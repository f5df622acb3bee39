#include "wait_kind.h"

namespace asyncspy {
namespace {

struct Words {
  std::string_view operator()(const Unknown&) const { return "unknown"; }
  std::string_view operator()(const Done&) const { return "done"; }
  std::string_view operator()(const Running&) const { return "running"; }
  std::string_view operator()(const Ready&) const { return "ready"; }
  std::string_view operator()(const OnTask&) const { return "task"; }
  std::string_view operator()(const OnFuture&) const { return "future"; }
  std::string_view operator()(const OnTimer&) const { return "timer"; }
  std::string_view operator()(const OnPrimitive&) const { return "primitive"; }
  std::string_view operator()(const OnDescriptor&) const { return "descriptor"; }
  std::string_view operator()(const OnMany&) const { return "many"; }
  std::string_view operator()(const OnJob&) const { return "job"; }
  std::string_view operator()(const OnProcess&) const { return "process"; }
};

}  // namespace

std::string_view to_word(const Wait& wait) { return std::visit(Words{}, wait); }

}  // namespace asyncspy

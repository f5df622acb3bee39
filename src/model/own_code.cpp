#include "own_code.h"

namespace asyncspy {

bool is_library_file(std::string_view file) {
  return file.starts_with("<frozen") || file.find("/site-packages/") != std::string_view::npos ||
         file.find("/dist-packages/") != std::string_view::npos ||
         file.find("/lib/python3") != std::string_view::npos || file.find("/lib64/python3") != std::string_view::npos;
}

const Frame* find_own_frame(const Report& report, const std::vector<Frame>& stack) {
  for (std::size_t i = stack.size(); i-- > 0;) {
    const Frame& frame = stack[i];
    if (frame.function < report.functions.size() && !is_library_file(report.functions[frame.function].file)) return &frame;
  }
  return stack.empty() ? nullptr : &stack.back();
}

const LightFrame* find_own_frame(const std::vector<LightFrame>& stack) {
  for (std::size_t i = stack.size(); i-- > 0;) {
    if (!stack[i].file.empty() && !is_library_file(stack[i].file)) return &stack[i];
  }
  return stack.empty() ? nullptr : &stack.back();
}

std::string_view name_of_frame(const Report& report, const Frame& frame) {
  if (frame.name < report.names.size()) return report.names[frame.name];
  if (frame.function < report.functions.size()) {
    const Function& function = report.functions[frame.function];
    return function.qualified_name.empty() ? function.name : function.qualified_name;
  }
  return frame.type_name < report.names.size() ? std::string_view(report.names[frame.type_name]) : std::string_view();
}

std::string place_of_frame(const Report& report, const Frame& frame) {
  if (frame.function >= report.functions.size() || report.functions[frame.function].file.empty()) return "";
  std::string place = report.functions[frame.function].file;
  if (frame.line > 0) place += ":" + std::to_string(frame.line);
  return place;
}

}  // namespace asyncspy

// Stacks: one frame a line, function and file:line in columns, the program's own frames bright, libraries dimmed.
#include <fmt/format.h>

#include <algorithm>

#include "escape.h"
#include "own_code.h"
#include "stack_rows.h"
#include "text_sections.h"

namespace asyncspy {
namespace {

constexpr std::size_t kFunctionColumns = 36; // wider function names push their own line only

std::string_view describe_kind(FrameKind kind) {
  switch (kind) {
    case FrameKind::kCoroutine: return "async";
    case FrameKind::kGenerator: return "gen";
    case FrameKind::kAsyncGenerator: return "agen";
    case FrameKind::kFunction:
    case FrameKind::kOpaque: break;
  }
  return "";
}

// By what is shown of them: two code objects of one place, as exec() makes them, look the same.
bool is_same_place(const Report& report, const Frame& left, const Frame& right) {
  if (left.line != right.line || left.kind != right.kind || left.locals != right.locals) return false;
  if (left.function == right.function && left.name == right.name && left.type_name == right.type_name) return true;
  return name_of_frame(report, left) == name_of_frame(report, right) && place_of_frame(report, left) == place_of_frame(report, right) &&
         left.kind != FrameKind::kOpaque;
}

StackRow make_row(const TextPage& page, const Frame& frame) {
  static const Function kNothing;
  const Report& report = page.report();
  StackRow row;
  if (frame.locals < report.locals.size()) row.locals = &report.locals[frame.locals];
  row.kind = describe_kind(frame.kind);
  if (frame.kind == FrameKind::kOpaque) {
    const bool typed = frame.type_name < report.names.size();
    const std::string type = typed ? page.safe(report.names[frame.type_name]) : "unknown object";
    const bool named = frame.name < report.names.size() && frame.name != frame.type_name;
    row.function = named ? page.safe(report.names[frame.name]) : type;
    row.location = named ? fmt::format("(no Python frame: {})", type) : std::string("(no Python frame)");
    row.library = true;
    return row;
  }
  const Function& function = frame.function < report.functions.size() ? report.functions[frame.function] : kNothing;
  std::string_view name = function.qualified_name.empty() ? function.name : function.qualified_name;
  if (frame.name < report.names.size()) name = report.names[frame.name];
  row.function = name.empty() ? "(unknown function)" : page.safe(name);
  // Never cut a path: it is there to be opened.
  row.location = function.file.empty() ? "(unknown file)" : escape_for_terminal(function.file);
  if (frame.line > 0) row.location += fmt::format(":{}", frame.line);
  row.library = is_library_file(function.file);
  return row;
}

// The gutter with the kind is worth its columns only where kinds are mixed: there it shows where the coroutines end
// and the ordinary calls that hold up the loop begin.
bool has_mixed_kinds(const std::vector<Frame>& stack) {
  return std::ranges::any_of(stack, [&](const Frame& frame) {
    return frame.kind != FrameKind::kOpaque && frame.kind != stack.front().kind;
  });
}

void put_row(TextPage& page, const StackRow& row, std::size_t indent, std::size_t width, bool gutter) {
  const std::string mark = row.innermost ? page.paint(Role::kBlocked, ">") : " ";
  std::string text(indent >= 2 ? indent - 2 : 0, ' ');
  text += mark + " ";
  if (gutter) text += page.paint(Role::kDim, fmt::format("{:<6}", row.kind));
  const std::size_t columns = count_columns(row.function);
  const std::string padding(columns < width ? width - columns : 0, ' ');
  text += page.paint(row.library ? Role::kDim : Role::kName, row.function) + padding + "  ";
  text += page.paint(row.library ? Role::kDim : Role::kLocation, row.location);
  if (row.repeats > 1) text += page.paint(Role::kWarning, fmt::format("  ({} times)", row.repeats));
  page.line(text);
}

// "name = value", each on a line of its own.
void put_locals(TextPage& page, const FrameLocals& locals, std::size_t indent) {
  const std::string margin(indent + 4, ' ');
  for (const Variable& variable : locals.variables) {
    page.line(margin + page.paint(Role::kDim, page.safe(variable.name, TextPage::kNameColumns) + " = ") + page.safe(variable.value));
  }
  if (locals.left_out > 0) page.line(margin + page.paint(Role::kDim, fmt::format("... {} more variables", locals.left_out)));
  if (!locals.gap.empty()) page.line(margin + page.paint(Role::kWarning, "locals could not be read: " + page.safe(locals.gap)));
}

}  // namespace

void add_row(TextPage& page, const std::vector<Frame>& stack, std::size_t index, std::vector<StackRow>& rows) {
  const bool follows = index > 0 && !rows.empty() && rows.back().kind != kNativeKind;
  if (!page.all() && follows && is_same_place(page.report(), stack[index - 1], stack[index])) {
    ++rows.back().repeats;
  } else {
    rows.push_back(make_row(page, stack[index]));
  }
  rows.back().innermost = index + 1 == stack.size() && stack.back().running;
}

void put_rows(TextPage& page, const std::vector<StackRow>& rows, std::size_t indent, bool gutter) {
  const std::size_t most = page.most_frames();
  const std::size_t outer = most * 3 / 10;  // of those that stay
  const bool cut = !page.all() && rows.size() > most;
  const std::size_t cut_from = cut ? outer : rows.size();
  const std::size_t cut_to = cut ? rows.size() - (most - outer) : rows.size();
  std::size_t width = 0;
  for (const StackRow& row : rows) {
    const std::size_t columns = count_columns(row.function);
    if (columns <= kFunctionColumns) width = std::max(width, columns);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == cut_from) {
      page.line(std::string(indent, ' ') +
                page.paint(Role::kDim, fmt::format("... {} frames left out: --all shows them", cut_to - cut_from)));
      i = cut_to;
    }
    put_row(page, rows[i], indent, width, gutter);
    if (rows[i].locals != nullptr) put_locals(page, *rows[i].locals, indent);
  }
}

void put_stack(TextPage& page, const std::vector<Frame>& stack, std::size_t indent) {
  std::vector<StackRow> rows;
  for (std::size_t i = 0; i < stack.size(); ++i) add_row(page, stack, i, rows);
  put_rows(page, rows, indent, !stack.empty() && has_mixed_kinds(stack));
}

}  // namespace asyncspy

#include "process_maps.h"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <string>

#include "field_reader.h"
#include "system_files.h"

namespace asyncspy {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// The kernel writes a newline of a path as \012 and nothing else in this way.
std::string unescape_newlines(std::string_view path) {
  std::string text(path);
  for (std::size_t at = text.find("\\012"); at != std::string::npos; at = text.find("\\012", at + 1)) {
    text[at] = '\n';
    text.erase(at + 1, 3);
  }
  return text;
}

std::optional<Mapping> parse_line(std::string_view line) {
  FieldReader fields(line);
  Mapping mapping;
  mapping.start = Address{fields.number_until<std::uint64_t>('-', 16)};
  mapping.end = Address{fields.number<std::uint64_t>(16)};
  const std::string_view rights = fields.word();
  mapping.file_offset = fields.number<std::uint64_t>(16);
  fields.word();  // device
  mapping.inode = fields.number<std::uint64_t>();
  if (!fields.ok() || rights.size() != 4 || mapping.end <= mapping.start) return std::nullopt;
  mapping.readable = rights[0] == 'r';
  mapping.writable = rights[1] == 'w';
  mapping.executable = rights[2] == 'x';
  mapping.shared = rights[3] == 's';
  fields.skip_spaces();
  std::string_view path = fields.rest();
  if (path.ends_with(kDeleted)) {
    mapping.deleted = true;
    path.remove_suffix(kDeleted.size());
  }
  mapping.path = unescape_newlines(path);
  return mapping;
}

}  // namespace

std::vector<Mapping> parse_process_maps(std::string_view text) {
  std::vector<Mapping> mappings;
  for_each_line(text, [&](std::string_view line) {
    if (auto mapping = parse_line(line)) mappings.push_back(std::move(*mapping));
  });
  return mappings;
}

Result<std::vector<Mapping>> read_process_maps(int pid) {
  const FileText file = read_system_file(fmt::format("/proc/{}/maps", pid));
  if (file.ok) return parse_process_maps(file.text);
  if (file.error == EACCES || file.error == EPERM) {
    return fail(ErrorKind::kPermission, fmt::format("process {}: its mappings may not be read", pid));
  }
  return fail(ErrorKind::kNoProcess, fmt::format("process {}: ended while it was being read", pid));
}

}  // namespace asyncspy

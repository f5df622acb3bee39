#include "process_maps.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

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

std::string escape_newlines(std::string text) {
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at)) text.replace(at, 1, "\\012");
  return text;
}

using Spelling = std::pair<std::string, bool>;  // path, deleted

// The other ways to read what the kernel wrote, if one of them names the very file.
Spelling choose_spelling(int pid, const Mapping& mapping) {
  Spelling usual{mapping.path, mapping.deleted};
  if (!mapping.deleted && is_path_of(pid, mapping.path, mapping.inode)) return usual;
  for (const std::string& path : {mapping.path, escape_newlines(mapping.path)}) {
    const std::string whole = mapping.deleted ? path + std::string(kDeleted) : path;
    if (is_path_of(pid, whole, mapping.inode)) return {whole, false};
  }
  return usual;
}

void resolve_spellings(int pid, std::vector<Mapping>& mappings) {
  std::map<std::pair<std::string, std::uint64_t>, Spelling> known;  // a file has several mappings
  for (Mapping& mapping : mappings) {
    const bool is_clear = !mapping.deleted && mapping.path.find('\n') == std::string::npos;
    if (is_clear || mapping.inode == 0 || !mapping.path.starts_with('/')) continue;
    const auto [found, is_new] = known.try_emplace({mapping.path, mapping.inode});
    if (is_new) found->second = choose_spelling(pid, mapping);
    std::tie(mapping.path, mapping.deleted) = found->second;
  }
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

bool is_path_of(int pid, const std::string& path, std::uint64_t inode) {
  for (const std::string& place : {fmt::format("/proc/{}/root{}", pid, path), path}) {
    struct stat facts {};
    if (::stat(place.c_str(), &facts) == 0 && facts.st_ino == inode) return true;
  }
  return false;
}

Result<std::vector<Mapping>> read_process_maps(int pid) {
  const FileText file = read_system_file(fmt::format("/proc/{}/maps", pid));
  if (file.ok) {
    std::vector<Mapping> mappings = parse_process_maps(file.text);
    resolve_spellings(pid, mappings);
    return mappings;
  }
  if (file.error == EACCES || file.error == EPERM) {
    return fail(ErrorKind::kPermission, fmt::format("process {}: its mappings may not be read", pid));
  }
  return fail(ErrorKind::kNoProcess, fmt::format("process {}: ended while it was being read", pid));
}

}  // namespace asyncspy

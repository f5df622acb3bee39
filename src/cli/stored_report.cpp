#include "stored_report.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "analyse.h"
#include "escape.h"
#include "file_descriptor.h"
#include "snapshot_source.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 30;
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::unexpected<Error> fail_to_read(const std::string& path, int number) {
  return fail(ErrorKind::kUsage, fmt::format("{}: can not be read: {}", path, std::strerror(number)),
              "asyncspy dump PID --format json -o FILE writes a report that can be shown");
}

// All of it, or only its beginning when that is no JSON.
Result<std::string> read_document(const std::string& path, int descriptor) {
  std::string text;
  while (true) {
    const std::size_t size = text.size();
    if (size >= kMostBytes) return fail(ErrorKind::kCorrupt, path + ": is too large for a report", "");
    text.resize(size + kPiece);
    const ssize_t got = ::read(descriptor, text.data() + size, kPiece);
    if (got < 0 && errno == EINTR) {
      text.resize(size);
      continue;
    }
    if (got < 0) return fail_to_read(path, errno);
    text.resize(size + static_cast<std::size_t>(got));
    if (got == 0 || !looks_like_json(std::string_view(text).substr(0, kPiece))) return text;
  }
}

void tell_unknown(const std::string& path, const StoredReport& stored) {
  if (stored.unknown.empty()) return;
  std::string text;
  for (const std::string& each : stored.unknown) text += (text.empty() ? "" : ", ") + each;
  text = escape_for_terminal(fmt::format("{}: by asyncspy {}, with what this asyncspy does not know and leaves out: {}", path,
                                         stored.tool_version, text));
  fmt::print(stderr, "asyncspy: {}\n", text);
}

Result<StoredReport> analyse_file(const std::string& path) {
  SnapshotSource source;
  source.core = path;
  auto snapshot = take_snapshot(source, {});
  if (!snapshot) return std::unexpected(std::move(snapshot.error()));
  auto report = analyse(*snapshot);
  if (!report) return std::unexpected(std::move(report.error()));
  StoredReport stored;
  stored.report = std::move(*report);
  stored.tool_version = ASYNCSPY_VERSION;
  return stored;
}

}  // namespace

Result<StoredReport> load_report(const std::string& path) {
  const bool standard = path == "-";
  const FileDescriptor file(standard ? -1 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!standard && file.get() < 0) return fail_to_read(path, errno);
  auto document = read_document(path, standard ? STDIN_FILENO : file.get());
  if (!document) return std::unexpected(std::move(document.error()));
  if (!standard && !looks_like_json(*document)) return analyse_file(path);
  auto stored = read_json(*document);
  if (!stored) {
    stored.error().what = fmt::format("{}: {}", standard ? "standard input" : path, stored.error().what);
    return stored;
  }
  tell_unknown(path, *stored);
  return stored;
}

}  // namespace asyncspy

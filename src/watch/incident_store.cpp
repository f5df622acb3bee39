#include "incident_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>

#include "json_report.h"
#include "words.h"

namespace asyncspy {
namespace {

constexpr std::string_view kPrefix = "asyncspy-";
constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kPartialPrefix = ".asyncspy-";
constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::size_t kMostFiles = 100'000;  // that are listed
constexpr int kMostOfOneName = 100;          // of one process, trigger and millisecond

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class FileSink final : public Sink {
 public:
  explicit FileSink(int descriptor) : descriptor_(descriptor) {}

  bool write(std::string_view text) override {
    while (!text.empty() && failure_ == 0) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written > 0) {
        text.remove_prefix(static_cast<std::size_t>(written));
      } else if (written < 0 && errno != EINTR) {
        failure_ = errno;
      }
    }
    return failure_ == 0;
  }

  [[nodiscard]] int failure() const { return failure_; }

 private:
  int descriptor_;
  int failure_ = 0;
};

std::unexpected<Error> fail_to_write(const std::string& path, int number) {
  return fail(ErrorKind::kOutput, fmt::format("{}: can not be written: {}", path, std::strerror(number)),
              "make room there, or choose another --directory");
}

bool is_full(int number) { return number == ENOSPC || number == EDQUOT; }

std::vector<std::string> list_names(int directory) {
  std::vector<std::string> names;
  // A description of its own: positions in a directory belong to that.
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(copy));
  if (!stream) {
    ::close(copy);
    return names;
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    if (names.size() >= kMostFiles) break;
    names.emplace_back(entry->d_name);
  }
  return names;
}

// With its missing parents, as `mkdir -p` makes them.
int make_directory(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0700);  // what is wrong shows at the end
  }
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? 0 : errno;
}

}  // namespace

std::string name_incident(const Incident& incident, int pid) {
  std::string time;
  for (const char c : format_instant(incident.detected_ns)) {
    if (c != '-' && c != ':') time += c;
  }
  const std::size_t dot = time.find('.');
  if (dot != std::string::npos) time = time.substr(0, dot + 4) + "Z";  // milliseconds do
  return fmt::format("{}{}-{}-{}{}", kPrefix, time, pid, to_word(incident.trigger), kSuffix);
}

bool is_incident_name(std::string_view name) {
  return name.starts_with(kPrefix) && name.ends_with(kSuffix) && name.size() < 200 && std::ranges::all_of(name, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
         });
}

Result<IncidentStore> IncidentStore::open(const std::string& path, const RetentionLimits& limits, std::string tool_version) {
  const auto refuse = [&path](int number) {
    return fail(ErrorKind::kOutput, fmt::format("{}: can not be used: {}", path, std::strerror(number)), "choose another --directory, which can be written");
  };
  if (const int failure = make_directory(path); failure != 0) return refuse(failure);
  FileDescriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return refuse(errno);
  if (::faccessat(directory.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) return refuse(errno);
  IncidentStore store(std::move(directory), path, limits, std::move(tool_version));
  for (const std::string& name : list_names(store.directory_.get())) {
    if (name.starts_with(kPartialPrefix) && name.ends_with(kPartialSuffix)) std::ignore = store.remove(name);
  }
  return store;
}

bool IncidentStore::remove(const std::string& name) const { return ::unlinkat(directory_.get(), name.c_str(), 0) == 0; }

int IncidentStore::write_partial(const std::string& partial, const Report& report) const {
  FileDescriptor file(::openat(directory_.get(), partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return errno;
  FileSink sink(file.get());
  write_json(report, {.tool_version = tool_version_}, sink);
  if (sink.failure() == 0 && ::fsync(file.get()) == 0) return 0;
  const int failure = sink.failure() != 0 ? sink.failure() : errno;
  std::ignore = remove(partial);
  return failure;
}

// Loops of one process can stall in the same millisecond.
std::string IncidentStore::choose_name(const Report& report) const {
  const std::string wanted = name_incident(*report.incident, report.process.pid);
  std::string name = wanted;
  struct stat facts {};
  for (int number = 2; ::fstatat(directory_.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 && number < kMostOfOneName; ++number) {
    name = fmt::format("{}-{}{}", std::string_view(wanted).substr(0, wanted.size() - kSuffix.size()), number, kSuffix);
  }
  return name;
}

Result<std::string> IncidentStore::write(const Report& report, std::vector<RemovedFile>& removed) {
  const std::string name = choose_name(report);
  const std::string partial = fmt::format("{}{}-{}{}", kPartialPrefix, ::getpid(), report.incident->id, kPartialSuffix);
  int failure = write_partial(partial, report);
  while (is_full(failure)) {
    const std::vector<IncidentFile> files = list();
    if (files.empty() || !remove(files.front().name)) break;
    removed.push_back({files.front().name, "full"});
    failure = write_partial(partial, report);
  }
  if (failure != 0) return fail_to_write(path_ + "/" + partial, failure);
  if (::renameat(directory_.get(), partial.c_str(), directory_.get(), name.c_str()) != 0) {
    failure = errno;
    std::ignore = remove(partial);
    return fail_to_write(path_ + "/" + name, failure);
  }
  ::fsync(directory_.get());  // the name, too
  std::ranges::move(enforce_limits(), std::back_inserter(removed));
  return name;
}

std::vector<IncidentFile> IncidentStore::list() const {
  std::vector<IncidentFile> files;
  for (std::string& name : list_names(directory_.get())) {
    struct stat facts {};
    if (!is_incident_name(name) || ::fstatat(directory_.get(), name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode)) continue;
    files.push_back({std::move(name), static_cast<std::uint64_t>(facts.st_size), facts.st_mtim.tv_sec * 1'000'000'000LL + facts.st_mtim.tv_nsec});
  }
  std::ranges::sort(files, {}, [](const IncidentFile& file) { return std::pair(file.modified_ns, std::string_view(file.name)); });
  return files;
}

Result<FileDescriptor> IncidentStore::open_file(std::string_view name) const {
  if (!is_incident_name(name)) return fail(ErrorKind::kUsage, "incident: there is no such file");
  FileDescriptor file(::openat(directory_.get(), std::string(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return fail(ErrorKind::kUsage, "incident: there is no such file");
  return file;
}

std::vector<RemovedFile> IncidentStore::enforce_limits() {
  std::vector<RemovedFile> removed;
  const std::vector<IncidentFile> files = list();
  std::uint64_t bytes = 0;
  for (const IncidentFile& file : files) bytes += file.bytes;
  const auto now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::size_t left = files.size();
  for (const IncidentFile& file : files) {
    const bool is_last = left == 1;  // the latest stays, however large it is
    std::string_view why;
    if (left > limits_.files) {
      why = "count";
    } else if (bytes > limits_.bytes && !is_last) {
      why = "bytes";
    } else if (static_cast<double>(now_ns - file.modified_ns) / 1e9 > limits_.age) {
      why = "age";
    } else {
      break;
    }
    if (!remove(file.name)) continue;
    removed.push_back({file.name, why});
    bytes -= file.bytes;
    --left;
  }
  return removed;
}

}  // namespace asyncspy

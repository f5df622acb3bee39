#include "output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace asyncspy {
namespace {

constexpr mode_t kOwnerOnly = 0600;

constexpr const char* kStandardOutput = "standard output";

std::unexpected<Error> fail_with(const std::string& subject, int number) {
  if (subject == kStandardOutput) {
    std::string what = subject + ": is closed";
    if (number != EBADF) what = fmt::format("{}: can not be written: {}", subject, std::strerror(number));
    return fail(ErrorKind::kOutput, std::move(what), "asyncspy dump PID -o FILE writes to a file");
  }
  return fail(ErrorKind::kOutput, fmt::format("{}: can not be written: {}", subject, std::strerror(number)),
              "choose another file with -o FILE, or leave it out to write to standard output");
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// For mkostemp(): beside `path`, so that a rename stays within one file system.
std::string make_template(const std::string& path) { return path + ".XXXXXX"; }

}  // namespace

OutputFile::OutputFile(std::string path, FileDescriptor file, Place place, std::string temporary)
    : path_(std::move(path)), file_(std::move(file)), place_(place), temporary_(std::move(temporary)) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      place_(other.place_),
      temporary_(std::exchange(other.temporary_, {})),
      failure_(other.failure_) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<OutputFile> OutputFile::open(const std::string& path) {
  if (path == "-") return OutputFile(path, FileDescriptor(), Place::kStandardOutput, {});
  if (path.empty()) return fail_with("''", ENOENT);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, kOwnerOnly);
    if (number < 0) return fail_with(path, errno);
    return OutputFile(path, FileDescriptor(number), Place::kInPlace, {});
  }
  // A file without a name vanishes by itself when asyncspy is killed.
  const int unnamed = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kOwnerOnly);
  if (unnamed >= 0) return OutputFile(path, FileDescriptor(unnamed), Place::kUnnamed, {});
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return fail_with(path, errno);
  std::string temporary = make_template(path);
  const int named = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (named < 0) return fail_with(path, errno);
  return OutputFile(path, FileDescriptor(named), Place::kTemporary, std::move(temporary));
}

int OutputFile::descriptor() const { return place_ == Place::kStandardOutput ? STDOUT_FILENO : file_.get(); }

std::string OutputFile::subject() const {
  return place_ == Place::kStandardOutput ? kStandardOutput : path_;
}

bool OutputFile::was_cut_off() const { return failure_ == EPIPE; }

bool OutputFile::is_terminal() const { return ::isatty(descriptor()) == 1; }

bool OutputFile::write(std::string_view text) {
  while (failure_ == 0 && !text.empty()) {
    const ssize_t written = ::write(descriptor(), text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failure_ = errno;
    }
  }
  return failure_ == 0;
}

Result<void> OutputFile::put_into_place() {
  if (place_ == Place::kUnnamed) {
    // linkat() replaces nothing, rename() does: so by way of a name that mkostemp() finds free.
    std::string name = make_template(path_);
    const int reserved = ::mkostemp(name.data(), O_CLOEXEC);
    if (reserved < 0) return fail_with(path_, errno);
    ::close(reserved);
    ::unlink(name.c_str());
    const std::string source = fmt::format("/proc/self/fd/{}", file_.get());
    if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return fail_with(path_, errno);
    }
    temporary_ = name;
  }
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail_with(path_, errno);
  temporary_.clear();
  return {};
}

Result<void> OutputFile::finish() {
  if (failure_ != 0) return fail_with(subject(), failure_);
  // A network file system or a quota may tell of a failed write only now.
  if (place_ == Place::kUnnamed || place_ == Place::kTemporary) {
    if (::fsync(file_.get()) != 0) return fail_with(subject(), errno);
    return put_into_place();
  }
  return {};
}

void secure_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; ++number) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() takes the lowest free number, which is this one. Write-only for reading and the reverse, so that use of
    // the closed stream still fails.
    const int flags = number == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", flags) < 0) std::_Exit(static_cast<int>(ExitCode::kInternal));
  }
}

ExitCode close_output(OutputFile& output, ExitCode success) {
  if (output.was_cut_off()) return ExitCode::kBrokenPipe;
  if (auto done = output.finish(); !done) return report_error(done.error());
  return success;
}

ExitCode print_text(std::string_view text) {
  auto output = OutputFile::open("-");
  if (!output) return report_error(output.error());
  output->write(text);
  return close_output(*output, ExitCode::kNothingWrong);
}

}  // namespace asyncspy

#include "system_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

namespace asyncspy {

FileText read_system_file(const std::string& path, std::size_t most) {
  FileText result;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    result.error = errno;
    return result;
  }
  std::array<char, 16384> buffer;  // not cleared: most files are far smaller
  while (result.text.size() < most) {
    const ssize_t got = ::read(file.get(), buffer.data(), std::min(buffer.size(), most - result.text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      result.error = errno;
      return result;
    }
    if (got == 0) break;
    result.text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  result.ok = true;
  return result;
}

std::string read_system_link(const std::string& path) {
  std::array<char, PATH_MAX + 1> buffer{};
  const ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return size < 0 ? std::string{} : std::string(buffer.data(), static_cast<std::size_t>(size));
}

FileDescriptor open_regular_file(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  return file;
}

}  // namespace asyncspy

#include "core_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "zstd_stream.h"

namespace asyncspy {
namespace {

constexpr std::uint64_t kMostSegments = 1'000'000;              // vm.max_map_count is 65,530 unless raised
constexpr std::uint64_t kMostNoteBytes = std::uint64_t{1} << 30;  // a thread takes some 5 KB of notes
constexpr std::size_t kMostNotes = 4'000'000;

template <class T>
std::span<std::byte> bytes_of(T& value) {
  return std::as_writable_bytes(std::span(&value, 1));
}

Error not_a_core(const std::string& path, std::string_view problem) {
  return {ErrorKind::kNotPython, fmt::format("{}: {}", path, problem),
          "make a core file with `gcore PID`, or a recording with `asyncspy capture PID -o FILE`", {}};
}

Error open_error(const std::string& path, int number) {
  const bool refused = number == EACCES || number == EPERM;
  return {refused ? ErrorKind::kPermission : ErrorKind::kUsage,
          fmt::format("{}: can not be opened: {}", path, std::strerror(number)),
          refused ? "cores and recordings are readable by their owner only: use that user, or root"
                  : "name a process id, a core file or a recording",
          {}};
}

std::uint64_t note_padding(std::uint64_t size) { return (size + 3) / 4 * 4; }

}  // namespace

Result<CoreFile> CoreFile::open(const std::string& path) {
  CoreFile core;
  // Without O_NONBLOCK a pipe that nobody writes to would never open.
  core.file_ = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!core.file_) return std::unexpected(open_error(path, errno));
  struct stat facts {};
  if (::fstat(core.file_.get(), &facts) != 0) return std::unexpected(open_error(path, errno));
  if (!S_ISREG(facts.st_mode)) return std::unexpected(not_a_core(path, "is no file that can be read at any place"));
  if (is_zstd(core.file_.get())) {
    auto unpacked = unpack_zstd(core.file_.get(), path);
    if (!unpacked) return std::unexpected(std::move(unpacked.error()));
    core.file_ = std::move(*unpacked);
    if (::fstat(core.file_.get(), &facts) != 0) return std::unexpected(open_error(path, errno));
  }
  core.file_size_ = static_cast<std::uint64_t>(facts.st_size);
  if (core.file_size_ == 0) return std::unexpected(not_a_core(path, "is empty"));
  if (auto done = core.read_headers(path); !done) return std::unexpected(std::move(done.error()));
  core.order_segments();
  return core;
}

bool CoreFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset > file_size_ || into.size() > file_size_ - offset) return false;
  while (!into.empty()) {
    const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return true;
}

Result<void> CoreFile::read_headers(const std::string& path) {
  Elf64_Ehdr header{};
  if (!read_at(0, bytes_of(header)) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return std::unexpected(not_a_core(path, "is neither a core file nor a recording"));
  }
  const bool supported = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
                         header.e_machine == EM_X86_64;
  if (!supported) {
    return fail(ErrorKind::kUnsupported, fmt::format("{}: is of another kind of machine, not x86-64", path),
                "asyncspy reads cores of 64-bit x86 processes");
  }
  if (header.e_type != ET_CORE) return std::unexpected(not_a_core(path, "is an ELF file, but no core file"));
  std::uint64_t count = header.e_phnum;
  if (count == PN_XNUM) {  // more than fit: the number is in the first section header
    Elf64_Shdr first{};
    if (header.e_shoff == 0 || !read_at(header.e_shoff, bytes_of(first))) return std::unexpected(not_a_core(path, "is cut short"));
    count = first.sh_info;
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || count > kMostSegments) {
    return std::unexpected(not_a_core(path, "has program headers that make no sense"));
  }
  std::vector<Elf64_Phdr> programs(count);
  if (!read_at(header.e_phoff, std::as_writable_bytes(std::span(programs)))) {
    return std::unexpected(not_a_core(path, "is cut short: its program headers are missing"));
  }
  for (const Elf64_Phdr& program : programs) {
    if (program.p_type == PT_NOTE) read_notes(program.p_offset, program.p_filesz);
    if (program.p_type != PT_LOAD) continue;
    CoreSegment segment;
    segment.start = Address{program.p_vaddr};
    segment.size = program.p_memsz;
    segment.promised = std::min(program.p_filesz, program.p_memsz);
    segment.file_offset = program.p_offset;
    segment.readable = (program.p_flags & PF_R) != 0;
    segment.writable = (program.p_flags & PF_W) != 0;
    segment.executable = (program.p_flags & PF_X) != 0;
    add_segment(segment);
  }
  return {};
}

void CoreFile::add_segment(CoreSegment segment) {
  if (segment.size == 0 || segment.start.value() + segment.size < segment.start.value()) return;
  const std::uint64_t available = segment.file_offset < file_size_ ? file_size_ - segment.file_offset : 0;
  segment.stored = std::min(segment.promised, available);
  missing_bytes_ += segment.promised - segment.stored;
  segments_.push_back(segment);
}

void CoreFile::read_notes(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t available = offset < file_size_ ? std::min(size, file_size_ - offset) : 0;
  missing_bytes_ += size - available;
  std::string text(std::min(available, kMostNoteBytes), '\0');
  if (!read_at(offset, std::as_writable_bytes(std::span(text)))) return;
  std::string_view rest = text;
  while (rest.size() >= sizeof(Elf64_Nhdr) && notes_.size() < kMostNotes) {
    Elf64_Nhdr note{};
    std::memcpy(&note, rest.data(), sizeof(note));
    rest.remove_prefix(sizeof(note));
    const std::uint64_t name_room = note_padding(note.n_namesz);
    if (name_room > rest.size() || note.n_descsz > rest.size() - name_room) return;
    std::string_view owner = rest.substr(0, note.n_namesz);
    owner = owner.substr(0, owner.find('\0'));
    notes_.push_back({std::string(owner), note.n_type, std::string(rest.substr(name_room, note.n_descsz))});
    rest.remove_prefix(std::min<std::uint64_t>(rest.size(), name_room + note_padding(note.n_descsz)));
  }
}

// Overlaps are not to be expected; the segment that begins first wins.
void CoreFile::order_segments() {
  std::ranges::stable_sort(segments_, {}, &CoreSegment::start);
  std::vector<CoreSegment> ordered;
  for (const CoreSegment& segment : segments_) {
    const bool overlaps = !ordered.empty() && segment.start < ordered.back().start + ordered.back().size;
    if (!overlaps) ordered.push_back(segment);
  }
  segments_ = std::move(ordered);
}

const CoreSegment* CoreFile::find_segment(Address address) const {
  const auto after = std::ranges::upper_bound(segments_, address, {}, &CoreSegment::start);
  if (after == segments_.begin()) return nullptr;
  const CoreSegment& segment = *std::prev(after);
  return address.value() - segment.start.value() < segment.size ? &segment : nullptr;
}

bool CoreFile::read_stored(Address from, std::span<std::byte> into) const {
  while (!into.empty()) {
    const CoreSegment* segment = find_segment(from);
    if (segment == nullptr) return false;
    const std::uint64_t offset = from.value() - segment->start.value();
    if (offset >= segment->stored) return false;
    const std::size_t here = std::min<std::uint64_t>(into.size(), segment->stored - offset);
    if (!read_at(segment->file_offset + offset, into.first(here))) return false;
    into = into.subspan(here);
    from = from + here;
  }
  return true;
}

}  // namespace asyncspy

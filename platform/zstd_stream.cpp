#include "zstd_stream.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace asyncspy {
namespace {

constexpr int kLevel = 3;
constexpr std::array<unsigned char, 4> kMagic = {0x28, 0xB5, 0x2F, 0xFD};
constexpr std::uint64_t kMostUnpacked = std::uint64_t{1} << 44;  // of address space: a file's holes take no memory

struct EndContext {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
};

// What may be held in memory. A small file can unpack to any size.
std::uint64_t memory_bound() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0) return std::uint64_t{1} << 30;
  return static_cast<std::uint64_t>(pages) / 2 * static_cast<std::uint64_t>(size);
}

bool is_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// A file in memory in which blocks of zeros are left out.
class SparseFile {
 public:
  SparseFile() : file_(::memfd_create("asyncspy", MFD_CLOEXEC)) {}

  // An errno, or 0.
  int append(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view block = bytes.substr(0, kBlock - size_ % kBlock);
      if (!is_zero(block)) {
        const ssize_t written = ::pwrite(file_.get(), block.data(), block.size(), static_cast<off_t>(size_));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (static_cast<std::size_t>(written) != block.size()) return ENOSPC;
        held_ += kBlock;
      }
      size_ += block.size();
      bytes.remove_prefix(block.size());
    }
    return 0;
  }

  [[nodiscard]] std::uint64_t held() const { return held_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] bool is_open() const { return static_cast<bool>(file_); }
  [[nodiscard]] FileDescriptor take() {
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) return {};
    return std::move(file_);
  }

 private:
  static constexpr std::uint64_t kBlock = 4096;

  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::uint64_t held_ = 0;
};

Error unpack_error(const std::string& subject, std::string_view problem) {
  return {ErrorKind::kCorrupt, fmt::format("{}: can not be unpacked: {}", subject, problem),
          "unpack it by hand with `zstd -d` and name the result instead", {}};
}

}  // namespace

ZstdWriter::ZstdWriter(WriteBytes out) : out_(std::move(out)), context_(::ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
  ::ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kLevel);
  ::ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  buffer_.resize(::ZSTD_CStreamOutSize());
}

ZstdWriter::~ZstdWriter() { ::ZSTD_freeCCtx(context_); }

bool ZstdWriter::push(std::string_view bytes, bool end) {
  ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer output{buffer_.data(), buffer_.size(), 0};
    const std::size_t left = ::ZSTD_compressStream2(context_, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
    if (::ZSTD_isError(left) != 0) return false;
    if (output.pos > 0 && !out_({buffer_.data(), output.pos})) return false;
    if (end ? left == 0 : input.pos == input.size) return true;
  }
}

bool ZstdWriter::write(std::string_view bytes) { return push(bytes, false); }

bool ZstdWriter::finish() { return push({}, true); }

bool is_zstd(int file) {
  std::array<unsigned char, kMagic.size()> first{};
  return ::pread(file, first.data(), first.size(), 0) == static_cast<ssize_t>(first.size()) && first == kMagic;
}

Result<FileDescriptor> unpack_zstd(int file, const std::string& subject) {
  const std::unique_ptr<ZSTD_DCtx, EndContext> context(::ZSTD_createDCtx());
  SparseFile unpacked;
  if (!context || !unpacked.is_open()) return std::unexpected(unpack_error(subject, "no memory"));
  std::string input_bytes(::ZSTD_DStreamInSize(), '\0');
  std::string output_bytes(::ZSTD_DStreamOutSize(), '\0');
  const std::uint64_t bound = memory_bound();
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(file, input_bytes.data(), input_bytes.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(unpack_error(subject, std::strerror(errno)));
    if (got == 0) break;
    at += got;
    ZSTD_inBuffer input{input_bytes.data(), static_cast<std::size_t>(got), 0};
    bool filled = true;  // the output, so that there may be more without any further input
    while (input.pos < input.size || filled) {
      ZSTD_outBuffer output{output_bytes.data(), output_bytes.size(), 0};
      const std::size_t state = ::ZSTD_decompressStream(context.get(), &output, &input);
      if (::ZSTD_isError(state) != 0) return std::unexpected(unpack_error(subject, ::ZSTD_getErrorName(state)));
      if (const int error = unpacked.append({output_bytes.data(), output.pos}); error != 0) {
        return std::unexpected(unpack_error(subject, std::strerror(error)));
      }
      if (unpacked.held() > bound || unpacked.size() > kMostUnpacked) {
        return std::unexpected(unpack_error(subject, "it takes more than half of this machine's memory"));
      }
      filled = output.pos == output.size;
    }
  }
  FileDescriptor result = unpacked.take();
  if (!result) return std::unexpected(unpack_error(subject, std::strerror(errno)));
  return result;
}

}  // namespace asyncspy

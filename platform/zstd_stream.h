// Compressed files: written as a stream, and unpacked into memory before anything else looks at them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "file_descriptor.h"
#include "result.h"

struct ZSTD_CCtx_s;

namespace asyncspy {

// Takes bytes and says whether it can take more.
using WriteBytes = std::function<bool(std::string_view bytes)>;

// Compresses what is written to it into one zstd frame.
class ZstdWriter {
 public:
  explicit ZstdWriter(WriteBytes out);
  ZstdWriter(const ZstdWriter&) = delete;
  ZstdWriter& operator=(const ZstdWriter&) = delete;
  ~ZstdWriter();

  bool write(std::string_view bytes);
  bool finish();

 private:
  bool push(std::string_view bytes, bool end);

  WriteBytes out_;
  ZSTD_CCtx_s* context_;
  std::string buffer_;
};

// Whether the file begins as a zstd frame does.
[[nodiscard]] bool is_zstd(int file);

// The content of a zstd file, as a file without a name that lives in memory; pages of zeros take no room. A frame that is
// cut short yields what could be unpacked. `subject` names the file in errors.
[[nodiscard]] Result<FileDescriptor> unpack_zstd(int file, const std::string& subject);

}  // namespace asyncspy

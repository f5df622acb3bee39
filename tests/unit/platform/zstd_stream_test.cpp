#include "zstd_stream.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catch.h"

namespace asyncspy {
namespace {

FileDescriptor file_with(const std::string& content) {
  FileDescriptor file(::memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return file;
}

std::string compress(const std::vector<std::string>& pieces) {
  std::string packed;
  ZstdWriter writer([&](std::string_view bytes) {
    packed += bytes;
    return true;
  });
  for (const std::string& piece : pieces) REQUIRE(writer.write(piece));
  REQUIRE(writer.finish());
  return packed;
}

}  // namespace

TEST_CASE("what was compressed in pieces is unpacked whole, with zeros as holes") {
  std::string noise;
  for (std::uint32_t i = 0, x = 1; i < 1'000'000; ++i, x = x * 1664525 + 1013904223) noise += static_cast<char>(x >> 24);
  const std::string zeros(std::size_t{64} << 20, '\0');
  const FileDescriptor packed = file_with(compress({noise, zeros, "end"}));
  REQUIRE(is_zstd(packed.get()));
  const auto unpacked = unpack_zstd(packed.get(), "it");
  REQUIRE(unpacked);
  struct stat facts {};
  REQUIRE(::fstat(unpacked->get(), &facts) == 0);
  CHECK(static_cast<std::size_t>(facts.st_size) == noise.size() + zeros.size() + 3);
  CHECK(facts.st_blocks * 512 < 2'000'000);
  std::string found(noise.size(), '\0');
  REQUIRE(::pread(unpacked->get(), found.data(), found.size(), 0) == static_cast<ssize_t>(found.size()));
  CHECK(found == noise);
  found.assign(4, 'x');
  REQUIRE(::pread(unpacked->get(), found.data(), 4, static_cast<off_t>(noise.size() + zeros.size() - 1)) == 4);
  CHECK(found == std::string("\0end", 4));
}

TEST_CASE("changed and foreign bytes are an error, a frame that is cut short yields its beginning") {
  std::string packed = compress({std::string(100'000, 'a') + std::string(100'000, 'b')});
  const FileDescriptor whole = file_with(packed);
  REQUIRE(unpack_zstd(whole.get(), "it"));
  packed.back() = static_cast<char>(packed.back() ^ 1);  // of the checksum
  const auto changed = unpack_zstd(file_with(packed).get(), "it");
  REQUIRE_FALSE(changed);
  CHECK(changed.error().what.starts_with("it: "));
  packed.resize(packed.size() / 2);
  CHECK(unpack_zstd(file_with(packed).get(), "it"));
  CHECK_FALSE(is_zstd(file_with("no").get()));
  CHECK_FALSE(is_zstd(file_with("ELF of some kind").get()));
}

TEST_CASE("a writer that takes no more ends the compression") {
  ZstdWriter writer([](std::string_view) { return false; });
  std::string noise;
  for (std::uint32_t i = 0, x = 7; i < 1'000'000; ++i, x = x * 1664525 + 1013904223) noise += static_cast<char>(x >> 24);
  CHECK_FALSE((writer.write(noise) && writer.finish()));
}

}  // namespace asyncspy

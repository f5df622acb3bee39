// The debug information of this very program describes the structures below; the compiler says where their members are.
#include "debug_info.h"

#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "elf_image.h"
#include "system_files.h"

struct AsyncspyTestBase {
  long first;
  int second;
};
struct AsyncspyTestPart {
  char filler[12];
  short value;
};
typedef struct AsyncspyTestWhole {
  AsyncspyTestBase base;
  union {
    double as_number;
    void* as_pointer;
  };
  AsyncspyTestPart part;
  unsigned low : 3;
  unsigned high : 2;
  unsigned far : 9;
  const AsyncspyTestPart* link;
} AsyncspyTestAlias;
struct AsyncspyTestDeclared;

namespace asyncspy {
namespace {

using namespace std::chrono_literals;

LoadedImage own_image() {
  LoadedImage image;
  image.path = read_system_link("/proc/self/exe");
  auto elf = ElfImage::open(open_regular_file(image.path), image.path);
  REQUIRE(elf);
  image.build_id = elf->build_id();
  return image;
}

// Where the bits are, as the compiler puts them.
std::uint32_t mask_of(const AsyncspyTestWhole& whole) {
  std::array<unsigned char, sizeof(AsyncspyTestWhole)> bytes{};
  std::memcpy(bytes.data(), &whole, sizeof(whole));
  const std::size_t at = offsetof(AsyncspyTestWhole, part) + sizeof(AsyncspyTestPart);
  for (std::size_t i = at; i < bytes.size(); ++i) {
    if (bytes[i] != 0) return bytes[i];
  }
  return 0;
}

TEST_CASE("members of a struct are where its debug information says") {
  // The variable makes the compiler describe the type.
  static const AsyncspyTestAlias kept{};
  const std::array<std::string_view, 14> questions = {
      "AsyncspyTestWhole", "AsyncspyTestAlias.part", "AsyncspyTestWhole.part.value", "AsyncspyTestWhole.second",
      "AsyncspyTestWhole.as_pointer", "AsyncspyTestWhole.low", "AsyncspyTestWhole.high", "AsyncspyTestWhole.far",
      "AsyncspyTestWhole.link", "AsyncspyTestWhole.nothing", "AsyncspyTestWhole.link.value", "AsyncspyTestDeclared.a",
      "AsyncspyTestNowhere", "AsyncspyTestWhole.part.value.deeper"};
  auto found = find_struct_members(own_image(), questions, 60s);
  INFO((found ? found->path : found.error().what));
  REQUIRE(found);
  auto offset = [&](std::size_t i) {
    REQUIRE(found->answers[i].member);
    return found->answers[i].member->offset;
  };
  CHECK(found->answers[0].member->size == sizeof(kept));
  CHECK(offset(1) == offsetof(AsyncspyTestWhole, part));
  CHECK(found->answers[1].member->size == sizeof(AsyncspyTestPart));
  CHECK(offset(2) == offsetof(AsyncspyTestWhole, part) + offsetof(AsyncspyTestPart, value));
  CHECK(offset(3) == offsetof(AsyncspyTestBase, second));
  CHECK(offset(4) == offsetof(AsyncspyTestWhole, as_pointer));
  AsyncspyTestWhole bits{};
  bits.low = 7;
  CHECK(found->answers[5].member->bit_mask == mask_of(bits));
  bits = {};
  bits.high = 3;
  CHECK(found->answers[6].member->bit_mask == mask_of(bits));
  CHECK(offset(5) == offset(6));
  CHECK(found->answers[7].member->bit_mask == 0x1FFU << 5);
  CHECK(offset(8) == offsetof(AsyncspyTestWhole, link));
  for (std::size_t i : {9U, 10U, 13U}) {  // no such member, behind a pointer, inside of a number
    CHECK(found->answers[i].known_struct);
    CHECK_FALSE(found->answers[i].member);
  }
  CHECK_FALSE(found->answers[11].known_struct);
  CHECK_FALSE(found->answers[12].known_struct);
}

TEST_CASE("another build of a file is not asked") {
  LoadedImage image = own_image();
  const std::array<std::string_view, 1> questions = {"AsyncspyTestWhole"};
  REQUIRE(find_struct_members(image, questions, 60s));
  REQUIRE(image.build_id.size() > 2);
  image.build_id[0] = image.build_id[0] == '0' ? '1' : '0';
  auto found = find_struct_members(image, questions, 60s);
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::kUnreadable);
}

TEST_CASE("separate debug information is found by build id below the target's root") {
  const LoadedImage own = own_image();
  const std::filesystem::path root = std::filesystem::temp_directory_path() / ("asyncspy-root-" + std::to_string(::getpid()));
  const std::filesystem::path place = root / "usr/lib/debug/.build-id" / own.build_id.substr(0, 2);
  std::filesystem::create_directories(place);
  std::filesystem::create_symlink(own.path, place / (own.build_id.substr(2) + ".debug"));
  LoadedImage image = own;
  image.path = "/nowhere/python3";
  image.root = root.string();
  const auto places = list_debug_files(image);
  std::filesystem::remove_all(root);
  REQUIRE(places.size() == 1);
  CHECK(places[0] == (place / (own.build_id.substr(2) + ".debug")).string());
}

TEST_CASE("a search that takes too long ends") {
  const std::array<std::string_view, 1> questions = {"AsyncspyTestNowhere"};
  auto found = find_struct_members(own_image(), questions, -1ms);
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::kTimeout);
}

TEST_CASE("damaged debug information does no harm") {
  const LoadedImage own = own_image();
  std::ifstream file(own.path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::filesystem::path damaged = std::filesystem::temp_directory_path() / ("asyncspy-damaged-" + std::to_string(::getpid()));
  LoadedImage image;
  image.path = damaged.string();
  const std::array<std::string_view, 2> questions = {"AsyncspyTestWhole.part.value", "AsyncspyTestNowhere"};
  std::uint64_t state = 1;
  for (int round = 0; round < 3; ++round) {
    std::string copy = bytes;
    for (std::size_t i = 4096; i < copy.size() - 65'536; i += 997) {  // the table of sections stays, so that its content is read
      state = state * 6364136223846793005U + 1442695040888963407U;
      copy[i + (state >> 33) % 900] = static_cast<char>(state >> 56);
    }
    std::ofstream(damaged, std::ios::binary) << copy;
    auto found = find_struct_members(image, questions, 60s);
    CHECK((!found || found->answers.size() == questions.size()));
  }
  std::ofstream(damaged, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  CHECK_FALSE(find_struct_members(image, questions, 60s));
  std::filesystem::remove(damaged);
}

}  // namespace
}  // namespace asyncspy

#include "debug_layout.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "cpython_members.h"
#include "debug_info.h"

namespace asyncspy {
namespace {

constexpr std::chrono::milliseconds kMostTime{5000};
constexpr std::size_t kMostImages = 8;
constexpr std::uint64_t kLargestOffset = std::uint64_t{1} << 20;  // PyInterpreterState has some 400 kB
constexpr std::size_t kShownChanges = 6;

std::string_view after_kind(std::string_view candidate) {
  const std::size_t colon = candidate.find(':');
  return colon == std::string_view::npos ? candidate : candidate.substr(colon + 1);
}

std::vector<std::string_view> list_questions() {
  std::vector<std::string_view> questions;
  for (const CpythonMember& member : kCpythonMembers) {
    for (std::string_view candidate : member.candidates) {
      if (!candidate.empty()) questions.push_back(after_kind(candidate));
    }
  }
  return questions;
}

DebugLayout::Answer read_answer(std::string_view candidate, const StructAnswer& found) {
  if (candidate == "zero") return {true, 0, 0};
  DebugLayout::Answer answer{found.known_struct, kAbsentOffset, 0};
  if (!found.member || found.member->offset > kLargestOffset || found.member->size > kLargestOffset) return answer;
  const StructMember& member = *found.member;
  if (candidate.starts_with("size:")) {
    if (member.size > 0) answer.offset = static_cast<std::int32_t>(member.size);
  } else if (candidate.starts_with("flag:")) {
    answer.offset = static_cast<std::int32_t>(member.offset);
    answer.mask = member.bit_mask;
    if (member.bit_mask == 0) answer.mask = member.size >= 4 ? ~std::uint32_t{0} : (std::uint32_t{1} << member.size * 8) - 1;
  } else if (member.bit_mask == 0) {
    answer.offset = static_cast<std::int32_t>(member.offset);
  }
  return answer;
}

// What the first file that describes a struct says of it counts.
void merge(const StructAnswers& file, std::vector<StructAnswer>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].known_struct) all[i] = file.answers[i];
  }
}

Result<DebugLayout> read_files(const std::vector<LoadedImage>& images, const LoadedImage& main) {
  const std::vector<std::string_view> questions = list_questions();
  ASYNCSPY_TRY(own, find_struct_members(main, questions, kMostTime));
  std::vector<StructAnswer> found = own.answers;
  for (std::size_t i = 0; i < std::min(images.size(), kMostImages); ++i) {
    if (&images[i] == &main) continue;
    if (auto file = find_struct_members(images[i], questions, kMostTime)) merge(*file, found);
  }
  DebugLayout layout{own.path, {}};
  auto next = found.begin();
  for (const CpythonMember& member : kCpythonMembers) {
    std::vector<DebugLayout::Answer>& answers = layout.members.emplace_back();
    for (std::string_view candidate : member.candidates) {
      if (!candidate.empty()) answers.push_back(read_answer(candidate, *next++));
    }
  }
  return layout;
}

// The member's answer: the first candidate that the release has, absent when its struct has none of them, and nothing
// when no file describes the struct.
std::optional<DebugLayout::Answer> choose_answer(const DebugLayout& debug, std::size_t member, unsigned minor) {
  const CpythonMember& known = kCpythonMembers[member];
  if (minor < known.since || minor > known.until) return std::nullopt;
  std::optional<DebugLayout::Answer> chosen;
  for (const DebugLayout::Answer& answer : debug.members[member]) {
    if (!answer.known_struct) continue;
    if (answer.offset != kAbsentOffset) return answer;
    chosen = answer;
  }
  return chosen;
}

template <class T>
void replace(Field<T>& field, const DebugLayout::Answer& answer) { field.offset = answer.offset; }
void replace(Flag& flag, const DebugLayout::Answer& answer) { flag = {answer.offset, answer.mask}; }
void replace(std::int32_t& size, const DebugLayout::Answer& answer) { size = answer.offset; }

template <class T>
bool is_same(const T& value, const DebugLayout::Answer& answer) { return layout_detail::offset_of(value) == answer.offset; }
bool is_same(const Flag& flag, const DebugLayout::Answer& answer) { return flag.offset == answer.offset && flag.mask == answer.mask; }

}  // namespace

Result<DebugLayout> read_debug_layout(const std::vector<LoadedImage>& images, Address runtime) {
  auto main = std::ranges::find(images, runtime, &LoadedImage::runtime);
  // Found by a function of it, or by its content: the file that it lies in is the one with symbols of Python.
  if (main == images.end() || main->build_id.empty()) {
    auto with_symbols = std::ranges::find_if(images, [](const LoadedImage& one) { return !one.version.is_null() || !one.interpreter_head.is_null(); });
    if (with_symbols != images.end()) main = with_symbols;
  }
  if (main == images.end()) return fail(ErrorKind::kUnreadable, "layout: no file of the interpreter is known");

  // An analysis is run several times on one process, and also while it stands still: files are read once.
  static std::mutex mutex;
  static std::string known_key;
  static std::optional<Result<DebugLayout>> known;
  std::string key = main->path;
  for (const LoadedImage& image : images) key += fmt::format("\n{}\n{}\n{}", image.root, image.path, image.build_id);
  const std::lock_guard lock(mutex);
  if (!known || known_key != key) {
    known = read_files(images, *main);
    known_key = key;
  }
  return *known;
}

AdoptedMembers adopt_debug_layout(const DebugLayout& debug, const std::function<bool(std::string_view)>& is_kept,
                                  PythonLayout& layout) {
  AdoptedMembers adopted;
  std::size_t more = 0;
  std::size_t index = 0;
  for_each_field(layout, [&](std::string_view name, auto& field) {
    std::optional<DebugLayout::Answer> answer;
    if (!is_kept(name)) answer = choose_answer(debug, index, layout.minor);
    ++index;
    adopted.answered.push_back(answer.has_value());
    if (!answer || is_same(field, *answer)) return;
    if (adopted.changed.size() < kShownChanges) {
      adopted.changed.push_back(fmt::format("{} {} -> {}", name, layout_detail::offset_of(field), answer->offset));
    } else {
      ++more;
    }
    replace(field, *answer);
  });
  if (more > 0) adopted.changed.push_back(fmt::format("{} more", more));
  return adopted;
}

}  // namespace asyncspy

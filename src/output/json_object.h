// Strict access to one object of a JSON document that may come from anywhere: every member has its type, numbers have
// their range, and the first thing that is wrong is kept with the place where it stands.
//
// After a problem everything reads as empty, so that a reader needs no check after each member. Members that nobody asked
// for are noted: a newer asyncspy wrote them, and what is not shown must be said.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "address.h"

namespace asyncspy {

// What is wrong with a document, and what of it is not understood.
class JsonProblems {
 public:
  void fail(const std::string& path, std::string_view problem);
  void add_unknown(const std::string& path);

  [[nodiscard]] bool any() const { return !first_.empty(); }
  [[nodiscard]] const std::string& first() const { return first_; }  // "tasks[3].state: 'x' is no such word"
  [[nodiscard]] const std::set<std::string>& unknown() const { return unknown_; }  // "tasks[].colour", at most kMostUnknown

  static constexpr std::size_t kMostUnknown = 20;

 private:
  std::string first_;
  std::set<std::string> unknown_;
};

inline constexpr std::size_t kNoIndex = std::numeric_limits<std::size_t>::max();

// Where something stands, spelled out only when it must be said: a large document has millions of places.
struct JsonPlace {
  const JsonPlace* parent = nullptr;  // null: directly in the document
  std::string_view name = {};         // empty: the document itself
  std::size_t index = kNoIndex;       // in an array

  [[nodiscard]] std::string spell() const;  // "tasks[3].wait"
};

class JsonObject {
 public:
  // `value` and what `place` refers to must outlive this.
  JsonObject(const nlohmann::json& value, const JsonPlace& place, JsonProblems& problems);

  // Members that must be there. All names are literals.
  [[nodiscard]] std::string text(std::string_view name);
  [[nodiscard]] bool flag(std::string_view name);
  [[nodiscard]] double number(std::string_view name);  // null: not a number, as non-finite ones are written
  template <class T = std::int64_t>
  [[nodiscard]] T integer(std::string_view name) {
    return static_cast<T>(integer_between(name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  [[nodiscard]] std::uint64_t count(std::string_view name);
  [[nodiscard]] Address identity(std::string_view name);
  [[nodiscard]] char letter(std::string_view name);
  // One of `words`; its place among them.
  [[nodiscard]] std::size_t choice(std::string_view name, const std::vector<std::string_view>& words);

  // Members that may be null, or absent: a field that an older asyncspy did not write.
  [[nodiscard]] std::optional<std::string> text_if(std::string_view name);
  [[nodiscard]] std::optional<bool> flag_if(std::string_view name);
  [[nodiscard]] std::optional<double> number_if(std::string_view name);
  template <class T = std::int64_t>
  [[nodiscard]] std::optional<T> integer_if(std::string_view name) {
    return has(name) ? std::optional(integer<T>(name)) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint64_t> count_if(std::string_view name);
  [[nodiscard]] Address address(std::string_view name);         // null: the null address
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);
  [[nodiscard]] std::vector<Address> identities(std::string_view name);
  [[nodiscard]] std::vector<int> integers(std::string_view name);

  // There, and not null.
  [[nodiscard]] bool has(std::string_view name);

  // `read(JsonObject&)` for an object that must be there; for one that is there; for each element of an array.
  template <class Read>
  void object(std::string_view name, Read read) {
    const nlohmann::json* member = find(name);
    if (member == nullptr) return missing(name);
    read_one(*member, {&place_, name}, read);
  }
  template <class Read>
  void object_if(std::string_view name, Read read) {
    if (has(name)) object(name, read);
  }
  template <class Read>
  void objects(std::string_view name, Read read) {
    const std::size_t size = array_size(name);
    for (std::size_t i = 0; i < size && !problems_.any(); ++i) read_one(element(name, i), {&place_, name, i}, read);
  }

  // A member of several possible types, or null when it is absent.
  [[nodiscard]] const nlohmann::json* find(std::string_view name);

  void fail(std::string_view name, std::string_view problem) { problems_.fail(path_of(name), problem); }
  [[nodiscard]] JsonProblems& problems() { return problems_; }
  [[nodiscard]] std::string path() const { return place_.spell(); }

  // Notes the members that were not asked for.
  void finish();
  void ignore_the_rest() { finished_ = true; }

 private:
  template <class Read>
  void read_one(const nlohmann::json& value, const JsonPlace& place, Read read) {
    JsonObject object(value, place, problems_);
    read(object);
    object.finish();
  }

  [[nodiscard]] std::int64_t integer_between(std::string_view name, std::int64_t least, std::int64_t most);
  [[nodiscard]] std::string path_of(std::string_view name, std::size_t index = kNoIndex) const { return JsonPlace{&place_, name, index}.spell(); }
  [[nodiscard]] std::size_t array_size(std::string_view name);
  [[nodiscard]] const nlohmann::json& element(std::string_view name, std::size_t index) const;
  void missing(std::string_view name);

  const nlohmann::json* value_;  // null: not an object
  JsonPlace place_;
  JsonProblems& problems_;
  std::vector<std::string_view> asked_;
  bool finished_ = false;
};

// "0x7f..." as an address.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

}  // namespace asyncspy

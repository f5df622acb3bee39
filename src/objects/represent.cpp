#include "represent.h"

#include <fmt/format.h>

#include <algorithm>

#include "containers.h"
#include "instance.h"
#include "quote.h"
#include "secrets.h"
#include "text.h"
#include "value_text.h"

namespace asyncspy {
namespace {

constexpr std::int64_t kReadAhead = 1000;  // characters beyond those shown, in which a secret may end
constexpr std::string_view kUnreadable = "<unreadable>";

struct Brackets {
  std::string_view open;
  std::string_view close;
};

Brackets brackets_of(ObjectForm form) {
  switch (form) {
    case ObjectForm::kTuple: return {"(", ")"};
    case ObjectForm::kList: return {"[", "]"};
    case ObjectForm::kFrozenSet: return {"frozenset({", "})"};
    case ObjectForm::kDeque: return {"deque([", "])"};
    default: return {"{", "}"};
  }
}

// What a secret can be; of anything else the type and the address say no secret.
bool can_be_secret(ObjectForm form) {
  switch (form) {
    case ObjectForm::kInteger:
    case ObjectForm::kFloat:
    case ObjectForm::kText:
    case ObjectForm::kBytes:
    case ObjectForm::kTuple:
    case ObjectForm::kList:
    case ObjectForm::kDict:
    case ObjectForm::kSet:
    case ObjectForm::kFrozenSet:
    case ObjectForm::kDeque:
    case ObjectForm::kEnum:
    case ObjectForm::kUuid: return true;
    default: return false;
  }
}

// Those that are shown as usual also under the name of a secret: their text has nothing of a value in it.
bool is_harmless(ObjectForm form) {
  switch (form) {
    case ObjectForm::kNone:
    case ObjectForm::kBool:
    case ObjectForm::kEllipsis:
    case ObjectForm::kNotImplemented:
    case ObjectForm::kClass:
    case ObjectForm::kModule:
    case ObjectForm::kFunction:
    case ObjectForm::kBuiltin:
    case ObjectForm::kCoroutine: return true;
    default: return false;
  }
}

// One text in the making. Recursion goes as deep as the options say and no deeper.
class Representation {
 public:
  Representation(const ObjectReader& reader, TypeTable& types, FormTable& forms, const RepresentOptions& options)
      : reader_(reader), types_(types), forms_(forms), values_(reader, types, forms), options_(options), objects_left_(options.objects) {}

  std::string of(Address object, std::string_view name) {
    append(object, name, 0);
    return std::move(out_);
  }

  std::string of_exception(Address object) {
    auto form = object.is_null() ? Result<const TypeForm*>{} : forms_.of(reader_, types_, object);
    if (!form || *form == nullptr || (*form)->form != ObjectForm::kException) return of(object, {});
    out_ = (*form)->type->name;
    if (!append_message(object, **form)) append_arguments(object, ": ", 0);
    return std::move(out_);
  }

 private:
  void append(Address object, std::string_view name, int depth) {
    auto form = object.is_null() ? Result<const TypeForm*>{nullptr} : forms_.of(reader_, types_, object);
    if (!form || *form == nullptr) {
      out_ += kUnreadable;
      return;
    }
    --objects_left_;
    const TypeForm& known = **form;
    const bool is_hidden = options_.mask && !is_harmless(known.form) && is_secret_name(name);
    if (is_hidden && can_be_secret(known.form)) {
      out_ += kMasked;
    } else if (is_hidden) {
      append_at(known.type->name, object);
    } else if (Result<void> done = append_known(object, known, depth); !done) {
      out_ += fmt::format("<unreadable {} at 0x{:x}>", known.type->name, object.value());
    }
  }

  // A failure leaves nothing behind.
  Result<void> append_known(Address object, const TypeForm& known, int depth) {
    switch (known.form) {
      case ObjectForm::kText: return append_text(object);
      case ObjectForm::kBytes: return append_bytes(object);
      case ObjectForm::kTuple:
      case ObjectForm::kList:
      case ObjectForm::kSet:
      case ObjectForm::kFrozenSet:
      case ObjectForm::kDeque:
      case ObjectForm::kDict: return append_container(object, known, depth);
      case ObjectForm::kException:
        if (depth >= options_.depth) {
          append_at(known.type->name, object);
        } else {
          out_ += known.type->name;
          append_arguments(object, "", depth);
        }
        return {};
      case ObjectForm::kOther: return append_instance(object, known, depth);
      default: break;
    }
    ASYNCSPY_TRY(text, values_.text_of(object, known));
    out_ += text;
    return {};
  }

  // Strings ------------------------------------------------------------------------------------------------------------

  [[nodiscard]] std::int64_t most_characters() const { return static_cast<std::int64_t>(options_.text_characters) + kReadAhead; }

  // What is shown of a text, and whether that is less than all of it.
  std::pair<std::u32string, bool> choose_shown(const Characters& characters) const {
    std::u32string shown = options_.mask ? mask_secrets(characters.first, characters.is_cut()) : characters.first;
    const bool is_cut = characters.is_cut() || shown.size() > options_.text_characters;
    if (is_cut) shown.resize(std::min(shown.size(), options_.text_characters));
    return {std::move(shown), is_cut};
  }

  Result<void> append_text(Address object) {
    ASYNCSPY_TRY(characters, read_characters(reader_, object, most_characters()));
    const auto [shown, is_cut] = choose_shown(characters);
    out_ += quote_text(shown);
    if (is_cut) out_ += fmt::format("... ({} characters)", characters.length);
    return {};
  }

  Result<void> append_bytes(Address object) {
    ASYNCSPY_TRY(characters, values_.read_bytes(object, most_characters()));
    const auto [shown, is_cut] = choose_shown(characters);
    out_ += quote_bytes(shown);
    if (is_cut) out_ += fmt::format("... ({} bytes)", characters.length);
    return {};
  }

  // The text of a str or bytes that may be the name of a secret; otherwise empty.
  std::string key_name(Address key) {
    if (!options_.mask || key.is_null()) return {};
    auto form = forms_.of(reader_, types_, key);
    if (!form || ((*form)->form != ObjectForm::kText && (*form)->form != ObjectForm::kBytes)) return {};
    auto characters = (*form)->form == ObjectForm::kText ? read_characters(reader_, key, kNameLength) : values_.read_bytes(key, kNameLength);
    return characters ? to_utf8(characters->first) : std::string{};
  }

  // Containers -----------------------------------------------------------------------------------------------------------

  Result<std::int64_t> read_length(Address object, ObjectForm form) const {
    const PythonLayout& layout = reader_.layout;
    switch (form) {
      case ObjectForm::kTuple: return reader_.read(object, layout.sequence.tuple_size);
      case ObjectForm::kList: return reader_.read(object, layout.sequence.list_size);
      case ObjectForm::kDeque: return reader_.read(object, layout.sequence.deque_size);
      case ObjectForm::kDict: return reader_.read(object, layout.dict.used);
      default: return reader_.read(object, layout.dict.set_used);
    }
  }

  Result<std::vector<Address>> read_items(Address object, ObjectForm form) const {
    switch (form) {
      case ObjectForm::kTuple: return read_tuple(reader_, object, options_.items);
      case ObjectForm::kList: return read_list(reader_, object, options_.items);
      case ObjectForm::kDeque: return read_deque(reader_, object, options_.items);
      default: return read_set(reader_, object, options_.items);
    }
  }

  [[nodiscard]] bool has_room() const { return out_.size() < options_.characters && objects_left_ > 0; }

  Result<void> append_container(Address object, const TypeForm& known, int depth) {
    ASYNCSPY_TRY(total, read_length(object, known.form));
    if (total < 0 || total > kMaxContainerItems) return fail(ErrorKind::kCorrupt, "length of a container is not plausible", {}, object);
    const Brackets brackets = brackets_of(known.form);
    if (std::ranges::find(path_, object) != path_.end()) {
      out_ += fmt::format("{}...{}", brackets.open, brackets.close);
      return {};
    }
    const bool is_named = !known.fields.empty() && static_cast<std::int64_t>(known.fields.size()) == total;
    if (total > 0 && (depth >= options_.depth || !has_room())) {
      out_ += fmt::format("<{} of {}>", known.is_exact ? known.type->name : std::string(known.type->short_name()), total);
      return {};
    }
    const std::size_t before = out_.size();
    if (!known.is_exact) out_ += fmt::format("{}{}", known.type->short_name(), is_named ? "" : "(");
    path_.push_back(object);
    auto done = known.form == ObjectForm::kDict ? append_entries(object, total, depth)
                                                : append_items(object, known, is_named, total, depth);
    path_.pop_back();
    if (!done) {
      out_.resize(before);
      return done;
    }
    if (!known.is_exact && !is_named) out_ += ')';
    return {};
  }

  Result<void> append_items(Address object, const TypeForm& known, bool is_named, std::int64_t total, int depth) {
    ASYNCSPY_TRY(items, read_items(object, known.form));
    const Brackets brackets = brackets_of(known.form);
    if (total == 0 && (known.form == ObjectForm::kSet || known.form == ObjectForm::kFrozenSet)) {
      out_ += known.form == ObjectForm::kSet ? "set()" : "frozenset()";
      return {};
    }
    out_ += brackets.open;
    std::string name;  // of the next item, as far as it is known
    std::int64_t shown = 0;
    for (std::size_t i = 0; i < items.size() && has_room(); ++i, ++shown) {
      if (i > 0) out_ += ", ";
      if (is_named) {
        name = known.fields[i];
        out_ += name + "=";
      }
      append(items[i], name, depth + 1);
      name = is_named ? std::string{} : name_of_next(items[i], i, total);
    }
    append_rest(total - shown, shown == 0);
    if (known.form == ObjectForm::kTuple && !is_named && total == 1) out_ += ',';
    out_ += brackets.close;
    return {};
  }

  // A pair is a name and its value, as in lists of headers; in arguments of a command an option stands before its value.
  std::string name_of_next(Address item, std::size_t place, std::int64_t total) {
    std::string text = key_name(item);
    const bool is_pair = total == 2 && place == 0;
    return is_pair || text.starts_with('-') ? text : std::string{};
  }

  Result<void> append_entries(Address object, std::int64_t total, int depth) {
    ASYNCSPY_TRY(entries, read_dict(reader_, object, options_.items));
    out_ += '{';
    std::int64_t shown = 0;
    for (std::size_t i = 0; i < entries.size() && has_room(); ++i, ++shown) {
      if (i > 0) out_ += ", ";
      append(entries[i].key, {}, depth + 1);
      out_ += ": ";
      append(entries[i].value, key_name(entries[i].key), depth + 1);
    }
    append_rest(total - shown, shown == 0);
    out_ += '}';
    return {};
  }

  void append_rest(std::int64_t rest, bool is_first) {
    if (rest > 0) out_ += fmt::format("{}... {} more", is_first ? "" : ", ", rest);
  }

  // Instances --------------------------------------------------------------------------------------------------------------

  void append_at(std::string_view what, Address object) { out_ += text_at(what, object); }

  // Attributes of an instance within an instance are not worth their room.
  Result<void> append_instance(Address object, const TypeForm& known, int depth) {
    const std::string_view name = known.type->name;
    if (is_in_instance_ || depth > options_.depth || !has_room()) {
      append_at(name, object);
      return {};
    }
    auto attributes = collect_attributes(object, *known.type);
    if (attributes.empty()) {
      append_at(name, object);
      return {};
    }
    is_in_instance_ = true;
    out_ += fmt::format("<{} at 0x{:x}: ", name, object.value());
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (i > 0) out_ += ", ";
      if (i == options_.items || !has_room()) {
        out_ += "...";
        break;
      }
      out_ += attributes[i].first + "=";
      append(attributes[i].second, attributes[i].first, depth + 1);
    }
    out_ += '>';
    is_in_instance_ = false;
    return {};
  }

  // What its dictionary and its slots have, at most one more than is shown. Nothing when they can not be read: the instance is
  // then shown without, like all that keep their values in C.
  std::vector<std::pair<std::string, Address>> collect_attributes(Address object, const Type& type) {
    std::vector<std::pair<std::string, Address>> attributes;
    const std::size_t most = options_.items + 1;
    if (auto entries = read_attributes(reader_, type, object, most)) {
      for (const DictEntry& entry : *entries) {
        auto form = forms_.of(reader_, types_, entry.key);
        auto name = form && (*form)->form == ObjectForm::kText ? values_.name(entry.key) : fail(ErrorKind::kCorrupt, "no name");
        if (name) attributes.emplace_back(std::move(*name), entry.value);
      }
    }
    for (const Slot& slot : types_.slots_of(reader_, type)) {
      if (attributes.size() >= most) break;
      auto value = reader_.memory.read_value<Address>(object + static_cast<std::uint64_t>(slot.offset));
      if (value && !value->is_null()) attributes.emplace_back(slot.name, *value);
    }
    return attributes;
  }

  // Exceptions ---------------------------------------------------------------------------------------------------------------

  // ": message" where the only argument is a text. KeyError's is no message (Objects/exceptions.c, KeyError_str).
  bool append_message(Address object, const TypeForm& known) {
    auto arguments = reader_.read(object, reader_.layout.exception.arguments);
    if (!arguments || types_.inherits(reader_, *known.type, "KeyError")) return false;
    auto items = read_tuple(reader_, *arguments, 3);
    if (!items || items->size() > 2) return false;
    if (items->empty()) return true;
    std::string number;  // an OSError has errno and strerror (Objects/exceptions.c, OSError_str)
    if (items->size() == 2) {
      auto form = forms_.of(reader_, types_, items->front());
      if (!form || (*form)->form != ObjectForm::kInteger || !types_.inherits(reader_, *known.type, "OSError")) return false;
      number = fmt::format("[Errno {}] ", values_.text_of(items->front(), **form).value_or(std::string(kUnreadable)));
    }
    auto form = forms_.of(reader_, types_, items->back());
    if (!form || (*form)->form != ObjectForm::kText) return false;
    auto characters = read_characters(reader_, items->back(), most_characters());
    if (!characters) return false;
    const auto [shown, is_cut] = choose_shown(*characters);
    if (!characters->first.empty() || !number.empty()) out_ += ": " + number + to_utf8(shown);
    if (is_cut) out_ += fmt::format("... ({} characters)", characters->length);
    return true;
  }

  // The arguments in parentheses; after `separator` one alone stands without.
  void append_arguments(Address object, std::string_view separator, int depth) {
    auto arguments = reader_.read(object, reader_.layout.exception.arguments);
    auto form = arguments && !arguments->is_null() ? forms_.of(reader_, types_, *arguments) : Result<const TypeForm*>{nullptr};
    auto items = form && *form != nullptr && (*form)->form == ObjectForm::kTuple ? read_tuple(reader_, *arguments, options_.items)
                                                                                 : fail(ErrorKind::kCorrupt, "no arguments");
    auto total = items ? reader_.read(*arguments, reader_.layout.sequence.tuple_size) : Result<std::int64_t>{0};
    if (!items || !total) {
      out_ += fmt::format("{}({})", separator, kUnreadable);
      return;
    }
    if (std::ranges::find(path_, object) != path_.end()) {
      out_ += "(...)";
      return;
    }
    const bool is_alone = *total == 1 && !separator.empty();
    path_.push_back(object);
    out_ += separator;
    if (!is_alone) out_ += '(';
    std::string name;
    for (std::size_t i = 0; i < items->size(); ++i) {
      if (i > 0) out_ += ", ";
      append((*items)[i], name, depth + 1);
      name = name_of_next((*items)[i], i, *total);
    }
    append_rest(*total - static_cast<std::int64_t>(items->size()), items->empty());
    if (!is_alone) out_ += ')';
    path_.pop_back();
  }

  const ObjectReader& reader_;
  TypeTable& types_;
  FormTable& forms_;
  ValueText values_;
  const RepresentOptions& options_;
  std::string out_;
  int objects_left_;
  bool is_in_instance_ = false;
  std::vector<Address> path_;  // containers and exceptions that are being written
};

}  // namespace

std::string Representer::represent(Address object, std::string_view name) {
  return Representation(reader_, types_, forms_, options_).of(object, name);
}

std::string Representer::represent_exception(Address object) {
  return Representation(reader_, types_, forms_, options_).of_exception(object);
}

}  // namespace asyncspy

// Checks against values that are known beforehand.
#include <limits>

#include <fmt/format.h>

#include "code.h"
#include "instance.h"
#include "line_table.h"
#include "number.h"
#include "self_checks.h"
#include "text.h"

namespace asyncspy {
namespace {

class ValueChecks {
 public:
  ValueChecks(CheckScope& scope, std::vector<SelfCheck>& checks) : scope_(scope), reader_(scope.reader), checks_(checks) {}

  void run() {
    check("type of None", none_type());
    check("sys.maxsize", maxsize());
    check("sys.byteorder", byteorder());
    check("sys.float_info", float_info());
    check("sys.version_info", version_info());
    check("sys.path", path());
    check("builtins.len", len());
    check("interpreter.builtins", builtins_dict());
    check("interpreter.id", interpreter_id());
    check_if(scope_.find("os", "supports_fd"), "os.supports_fd", [this](Address set) { return counted_set(set); });
    check_if(scope_.find("os", "environ"), "os.environ", [this](Address object) { return environ(object); });
    check_if(scope_.find("os", "makedirs"), "os.makedirs", [this](Address function) { return makedirs(function); });
    check_if(scope_.find("os", "fsencode"), "closure of os.fsencode", [this](Address function) { return closure(function); });
    check_if(scope_.find("threading", "_main_thread"), "deque of waiters", [this](Address thread) { return waiters(thread); });
    check_if(scope_.find("codecs", "BOM_UTF8"), "codecs.BOM_UTF8", [this](Address bytes) { return byte_order_mark(bytes); });
    check_if(scope_.find("types", "CodeType"), "size of code objects", [this](Address type) { return code_size(type); });
    check_if(scope_.find("types", "CoroutineType"), "size of coroutines", [this](Address type) { return coroutine_size(type); });
    check_if(scope_.find("types", "FrameType"), "size of frames", [this](Address type) { return frame_size(type); });
    check_if(scope_.find("builtins", "BaseException"), "dictionary of exceptions", [this](Address type) { return exception(type); });
    check_if(scope_.find("threading", "_dangling"), "threading._dangling", [this](Address set) { return dangling(set); });
    check_if(scope_.find("asyncio.events", "Handle"), "slots of asyncio.Handle", [this](Address type) { return handle_slots(type); });
  }

 private:
  using Verdict = Result<void>;

  void check(std::string subject, const Verdict& verdict) {
    // A recording made by a version with other checks lacks what only they read.
    if (!verdict && verdict.error().kind == ErrorKind::kUnreadable && reader_.memory.is_partial()) {
      checks_.push_back({std::move(subject), CheckResult::kSkipped, "its memory was not copied"});
      return;
    }
    checks_.push_back({std::move(subject), verdict ? CheckResult::kPassed : CheckResult::kFailed, verdict ? "" : verdict.error().what});
  }
  template <class Run>
  void check_if(Address object, std::string subject, Run run) {
    if (object.is_null()) {
      checks_.push_back({std::move(subject), CheckResult::kSkipped, "not imported"});
    } else {
      check(std::move(subject), run(object));
    }
  }
  static Verdict wrong(std::string what) { return fail(ErrorKind::kCorrupt, std::move(what)); }
  Verdict expect(bool good, std::string_view what) { return good ? Verdict{} : wrong(std::string(what)); }

  Result<Address> sys_value(std::string_view name) {
    ASYNCSPY_TRY(found, find_in_dict(reader_, scope_.sys, name));
    if (!found) return fail(ErrorKind::kCorrupt, fmt::format("sys has no {}", name));
    return *found;
  }

  Verdict expect_type(Address object, std::string_view name) {
    ASYNCSPY_TRY(type, scope_.types.of(reader_, object));
    return type->name == name ? Verdict{} : wrong(fmt::format("its type is {} instead of {}", type->name, name));
  }

  Verdict none_type() {
    Address none = scope_.find("builtins", "None");
    if (none.is_null()) return wrong("builtins has no None");
    ASYNCSPY_TRY(type, scope_.types.of(reader_, none));
    if (type->name != "NoneType") return wrong("its type is " + type->name);
    ASYNCSPY_TRY(metatype, reader_.type_of(type->address));
    ASYNCSPY_TRY(of_metatype, reader_.type_of(metatype));
    return expect(metatype == of_metatype, "the type of type is not type");
  }

  Verdict maxsize() {
    ASYNCSPY_TRY(object, sys_value("maxsize"));
    ASYNCSPY_TRY(value, read_integer(reader_, object));
    return expect(value == std::numeric_limits<std::int64_t>::max(), "it is another number");
  }

  Verdict byteorder() {
    ASYNCSPY_TRY(object, sys_value("byteorder"));
    ASYNCSPY_TRY(value, read_text(reader_, object));
    return expect(value == "little", "it is another text");
  }

  Verdict float_info() {
    ASYNCSPY_TRY(object, sys_value("float_info"));
    ASYNCSPY_TRY(items, read_tuple(reader_, object));
    if (items.empty()) return wrong("it has no items");
    ASYNCSPY_TRY(value, read_float(reader_, items[0]));
    return expect(value == std::numeric_limits<double>::max(), "its maximum is another number");
  }

  Verdict version_info() {
    ASYNCSPY_TRY(object, sys_value("version_info"));
    ASYNCSPY_TRY(items, read_tuple(reader_, object));
    if (items.size() != 5) return wrong(fmt::format("it has {} items instead of 5", items.size()));
    ASYNCSPY_TRY(minor, read_integer(reader_, items[1]));
    return expect(minor == reader_.layout.minor, "its minor version is another");
  }

  Verdict path() {
    ASYNCSPY_TRY(object, sys_value("path"));
    ASYNCSPY_TRY(items, read_list(reader_, object));
    for (std::size_t i = 0; i < items.size() && i < 4; ++i) {
      ASYNCSPY_TRY(text, read_text(reader_, items[i]));
      if (text.size() > 4096) return wrong("an entry is no path");
    }
    return {};
  }

  Verdict len() {
    Address function = scope_.find("builtins", "len");
    if (function.is_null()) return wrong("builtins has no len");
    ASYNCSPY_TRY(definition, reader_.read(function, reader_.layout.function.builtin_definition));
    ASYNCSPY_TRY(name_at, reader_.memory.read_value<Address>(definition));
    ASYNCSPY_TRY(name, read_c_string(reader_.memory, name_at, 16));
    if (name != "len") return wrong("its definition has another name");
    ASYNCSPY_TRY(self, reader_.read(function, reader_.layout.function.builtin_self));
    return expect_type(self, "module");
  }

  Verdict builtins_dict() {
    ASYNCSPY_TRY(builtins, reader_.read(scope_.interpreter, reader_.layout.interpreter.builtins));
    ASYNCSPY_TRY(len, find_in_dict(reader_, builtins, "len"));
    if (!len) return wrong("it has no len");
    ASYNCSPY_TRY(used, reader_.read(builtins, reader_.layout.dict.used));
    ASYNCSPY_TRY(entries, read_dict(reader_, builtins));
    return expect(used == static_cast<std::int64_t>(entries.size()), "its count is not that of its entries");
  }

  Verdict interpreter_id() {
    ASYNCSPY_TRY(id, reader_.read(scope_.interpreter, reader_.layout.interpreter.id));
    ASYNCSPY_TRY(next, reader_.read(scope_.interpreter, reader_.layout.interpreter.next));
    if (id < 0 || id > 1'000'000) return wrong("it is not plausible");
    // Newest first: only the main interpreter, number 0, is the last of the list.
    return expect((id == 0) == next.is_null(), "it does not agree with the list of interpreters");
  }

  Verdict counted_set(Address set) {
    ASYNCSPY_TRY(items, read_set(reader_, set));
    ASYNCSPY_TRY(used, reader_.read(set, reader_.layout.dict.set_used));
    if (used != static_cast<std::int64_t>(items.size())) return wrong("its count is not that of its elements");
    for (Address item : items) {
      ASYNCSPY_TRY(type, scope_.types.of(reader_, item));
      if (type->name.empty()) return wrong("an element has no type");
    }
    return {};
  }

  Verdict environ(Address object) {
    ASYNCSPY_TRY(type, scope_.types.of(reader_, object));
    if (type->name != "os._Environ") return wrong("its type is " + type->name);
    ASYNCSPY_TRY(name_at, reader_.read(type->address, reader_.layout.type.qualified_name));
    ASYNCSPY_TRY(name, read_text(reader_, name_at));
    if (name != "_Environ") return wrong("the qualified name of its type is another");
    ASYNCSPY_TRY(data, find_attribute(reader_, scope_.types, *type, object, "_data"));
    if (!data) return wrong("it has no attribute _data");
    return expect_type(*data, "dict");
  }

  Verdict makedirs(Address function) {
    ASYNCSPY_TRY(name_at, reader_.read(function, reader_.layout.function.function_qualified_name));
    ASYNCSPY_TRY(name, read_text(reader_, name_at));
    if (name != "makedirs") return wrong("its qualified name is another");
    ASYNCSPY_TRY(code_at, reader_.read(function, reader_.layout.function.function_code));
    CodeTable codes;
    ASYNCSPY_TRY(code, codes.find(reader_, code_at));
    const Function& shown = codes.functions()[code->function];
    bool is_os = shown.file.ends_with("os.py") || shown.file == "<frozen os>";
    if (shown.name != "makedirs" || !is_os) return wrong("its code has another name or file");
    std::int32_t last_line = 0;
    for (std::int64_t offset = 0; offset < code->size && offset < 4096; offset += 2) {
      last_line = std::max(last_line, codes.line_at(reader_, *code, offset));
    }
    if (last_line <= code->first_line || last_line > code->first_line + 200) return wrong("its last line is not plausible");
    // Entries of these codings cover the whole code, without gap or overlap.
    if (reader_.layout.line_table != LineTable::kLnotab && measure_line_table(reader_.layout.line_table, code->line_table) != code->size) {
      return wrong("its line table covers another length of code");
    }
    return first_variable(code_at);
  }

  // threading.Thread._started is an Event, whose Condition keeps an empty deque.
  Verdict waiters(Address thread) {
    Address at = thread;
    for (std::string_view name : {"_started", "_cond", "_waiters"}) {
      ASYNCSPY_TRY(type, scope_.types.of(reader_, at));
      ASYNCSPY_TRY(value, find_attribute(reader_, scope_.types, *type, at, name));
      if (!value) return wrong(fmt::format("there is no attribute {}", name));
      at = *value;
    }
    if (auto is_deque = expect_type(at, "collections.deque"); !is_deque) return is_deque;
    const SequenceLayout& layout = reader_.layout.sequence;
    ASYNCSPY_TRY(size, reader_.read(at, layout.deque_size));
    ASYNCSPY_TRY(index, reader_.read(at, layout.deque_left_index));
    ASYNCSPY_TRY(block, reader_.read(at, layout.deque_left_block));
    ASYNCSPY_TRY(right_index, reader_.read(at, layout.deque_right_index));
    ASYNCSPY_TRY(right_block, reader_.read(at, layout.deque_right_block));
    ASYNCSPY_TRY(state, reader_.read(at, layout.deque_state));
    bool links_follow_items = layout.deque_block_right.offset == layout.deque_block_items.offset + 64 * 8;
    // Of an empty deque the left block is the right one, so that only their order tells them apart.
    bool are_neighbours = layout.deque_right_block.offset == layout.deque_left_block.offset + 8;
    if (block != right_block || !links_follow_items || !are_neighbours) return wrong("its blocks are elsewhere");
    // As much was taken from an empty deque as was added; behind that number stands the greatest length, which is -1 here.
    if (state < 0 || state % 2 != 0) return wrong("what it counts is elsewhere");
    // An empty deque starts in the middle of its only block (Modules/_collectionsmodule.c, deque_new).
    return expect(size == 0 && index == 32 && right_index == 31, "it does not look like an empty one");
  }

  Verdict byte_order_mark(Address bytes) {
    const SequenceLayout& layout = reader_.layout.sequence;
    ASYNCSPY_TRY(size, reader_.read(bytes, layout.bytes_size));
    ASYNCSPY_TRY(data, reader_.memory.read_value<std::uint32_t>(bytes + static_cast<std::uint64_t>(layout.bytes_data.offset)));
    return expect(size == 3 && data == 0x00BFBBEF, "it is not EF BB BF");  // a NUL follows
  }

  // 3.11+: the bytecode follows the members of a code object (Objects/codeobject.c, PyCode_Type.tp_basicsize).
  Verdict code_size(Address type_at) {
    if (!reader_.layout.code.inline_bytecode.present()) return {};
    ASYNCSPY_TRY(type, scope_.types.find(reader_, type_at));
    return expect(type->basic_size == reader_.layout.code.inline_bytecode.offset, "the bytecode begins elsewhere");
  }

  // 3.11+: a coroutine ends in its frame, and that in its locals (Objects/genobject.c, PyCoro_Type.tp_basicsize).
  Verdict coroutine_size(Address type_at) {
    const PythonLayout& layout = reader_.layout;
    ASYNCSPY_TRY(type, scope_.types.find(reader_, type_at));
    // gi_exc_state comes right before cr_origin. As long as frames are objects it has the exception's type and traceback, too
    // (Include/genobject.h; _PyErr_StackItem in Include/cpython/pystate.h).
    std::int32_t after = layout.generator.inline_frame.present() ? 16 : 24;
    if (layout.generator.handled_exception.offset + after != layout.generator.origin.offset) return wrong("its handled exception is elsewhere");
    if (!layout.generator.inline_frame.present()) return expect(type->basic_size >= layout.generator.size, "it is smaller than a generator");
    return expect(type->basic_size == layout.generator.inline_frame.offset + layout.frame.localsplus.offset, "its frame or its locals begin elsewhere");
  }

  // Up to 3.10 a frame object ends in the first of its locals (Objects/frameobject.c, PyFrame_Type.tp_basicsize).
  Verdict frame_size(Address type_at) {
    const FrameObjectLayout& layout = reader_.layout.frame_object;
    if (!layout.localsplus.present()) return {};
    ASYNCSPY_TRY(type, scope_.types.find(reader_, type_at));
    return expect(type->basic_size == layout.localsplus.offset + 8, "its locals begin elsewhere");
  }

  // Include/cpython/pyerrors.h, PyException_HEAD: dictionary, arguments, notes (since frames are structures of their own),
  // traceback.
  Verdict exception(Address type_at) {
    const PythonLayout& layout = reader_.layout;
    ASYNCSPY_TRY(type, scope_.types.find(reader_, type_at));
    if (type->dict_offset + 8 != layout.exception.arguments.offset) return wrong("its arguments are elsewhere");
    std::int32_t after = layout.frame_object.frame.present() ? 16 : 8;
    return expect(layout.exception.arguments.offset + after == layout.exception.traceback.offset, "its traceback is elsewhere");
  }

  // makedirs(name, mode, exist_ok)
  Verdict first_variable(Address code_at) {
    const CodeLayout& layout = reader_.layout.code;
    Pointer names = layout.localsplus_names.present() ? layout.localsplus_names : layout.variable_names;
    ASYNCSPY_TRY(names_at, reader_.read(code_at, names));
    ASYNCSPY_TRY(items, read_tuple(reader_, names_at));
    if (items.empty()) return wrong("its code names no variable");
    ASYNCSPY_TRY(first, read_text(reader_, items[0]));
    if (first != "name") return wrong("its first variable has another name");
    if (!layout.localsplus_kinds.present()) return {};
    ASYNCSPY_TRY(kinds_at, reader_.read(code_at, layout.localsplus_kinds));
    ASYNCSPY_TRY(kinds, reader_.read(kinds_at, reader_.layout.sequence.bytes_size));
    return expect(kinds == static_cast<std::int64_t>(items.size()), "its variables and their kinds differ in number");
  }

  // fsencode is made by a function that gives it the encoding and the error handler.
  Verdict closure(Address function) {
    ASYNCSPY_TRY(closure_at, reader_.read(function, reader_.layout.function.function_closure));
    ASYNCSPY_TRY(cells, read_tuple(reader_, closure_at));
    if (cells.empty()) return wrong("it is empty");
    ASYNCSPY_TRY(value, reader_.read(cells[0], reader_.layout.function.cell_value));
    return expect_type(value, "str");
  }

  // A WeakSet of threads: weak references lead to them.
  Verdict dangling(Address weak_set) {
    ASYNCSPY_TRY(type, scope_.types.of(reader_, weak_set));
    ASYNCSPY_TRY(data, find_attribute(reader_, scope_.types, *type, weak_set, "data"));
    if (!data) return wrong("it has no data");
    ASYNCSPY_TRY(references, read_set(reader_, *data));
    for (Address reference : references) {
      ASYNCSPY_TRY(object, reader_.read(reference, reader_.layout.weak_reference.object));
      ASYNCSPY_TRY(object_type, scope_.types.of(reader_, object));
      bool is_thread = object_type->name == "NoneType" || scope_.types.inherits(reader_, *object_type, "threading.Thread");
      if (!is_thread) return wrong("a weak reference leads to a " + object_type->name);
    }
    return {};
  }

  Verdict handle_slots(Address type_at) {
    ASYNCSPY_TRY(type, scope_.types.find(reader_, type_at));
    for (std::string_view name : {"_callback", "_args", "_cancelled", "_loop"}) {
      ASYNCSPY_TRY(offset, scope_.types.slot_offset(reader_, *type, name));
      if (!offset || *offset % 8 != 0 || *offset + 8 > type->basic_size) return wrong(fmt::format("{} lies where it can not lie", name));
    }
    return {};
  }

  CheckScope& scope_;
  const ObjectReader& reader_;
  std::vector<SelfCheck>& checks_;
};

}  // namespace

void check_values(CheckScope& scope, std::vector<SelfCheck>& checks) { ValueChecks(scope, checks).run(); }

}  // namespace asyncspy

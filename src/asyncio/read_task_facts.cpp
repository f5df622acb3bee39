#include "read_task_facts.h"

#include <algorithm>

#include "containers.h"
#include "context.h"
#include "instance.h"
#include "number.h"
#include "text.h"
#include "traceback.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostPlaces = 50;  // asyncio keeps ten (Lib/asyncio/constants.py, DEBUG_STACK_DEPTH)

// Context variables that are set by libraries for themselves: decimal, sniffio, anyio.
constexpr std::string_view kOfLibraries[] = {"decimal_context", "current_async_library_cvar", "_current_vtask", "threadlocals"};
constexpr std::size_t kMostUnasked = 16;

// asyncio.CancelledError, and what it was up to 3.7 (Lib/asyncio/exceptions.py; Lib/concurrent/futures/_base.py).
constexpr std::string_view kCancellations[] = {"asyncio.exceptions.CancelledError", "concurrent.futures._base.CancelledError"};

}  // namespace

TaskFactsReader::TaskFactsReader(Inspection& inspection, std::vector<std::string> context, bool mask)
    : inspection_(inspection), context_(std::move(context)), representer_(inspection.reader, inspection.types, {.mask = mask}) {}

TaskFacts TaskFactsReader::read(RawTask& raw, Context context) {
  TaskFacts facts;
  const auto gap = [&](const char* what, const Error& error) { raw.task.gaps.push_back({what, error.what, error.at}); };
  auto members = read_members(raw);
  if (!members) return facts;  // read_task() told it
  if (!members->source_traceback.is_null()) {
    auto places = read_creation(members->source_traceback);
    if (places) facts.created_at = std::move(*places); else gap("creation of task", places.error());
  }
  auto origin = read_origin(raw);
  if (origin) facts.coroutine_origin = std::move(*origin); else gap("origin of coroutine", origin.error());
  if ((!context_.empty() || context == Context::kAll) && !members->context.is_null()) {
    auto wanted = read_variables(members->context, context);
    if (wanted) facts.context = std::move(*wanted); else gap("context of task", wanted.error());
  }
  if (raw.task.state == TaskState::kFinished) {
    auto outcome = read_outcome(*members);
    if (outcome) facts.outcome = std::move(*outcome); else gap("outcome of task", outcome.error());
    if (facts.outcome && facts.outcome->is_exception) add_traceback(raw, members->exception, *facts.outcome);
  }
  add_handled(raw, facts);
  return facts;
}

Result<TaskFactsReader::Members> TaskFactsReader::read_members(const RawTask& raw) {
  if (!raw.is_in_c) return read_python_members(raw);
  const FutureLayout& future = inspection_.layout().future;
  const TaskLayout& task = inspection_.layout().task;
  ASYNCSPY_TRY(view, inspection_.reader.view_of(raw.task.id, future.exception, future.result, future.source_traceback, future.log_traceback, task.context));
  return Members{.source_traceback = view.get(future.source_traceback),
                 .exception = view.get(future.exception),
                 .result = view.get(future.result),
                 .context = view.get(task.context),
                 .never_retrieved = view.get(future.log_traceback)};
}

// Lib/asyncio/futures.py and tasks.py.
Result<TaskFactsReader::Members> TaskFactsReader::read_python_members(const RawTask& raw) {
  ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, raw.task.id));
  ASYNCSPY_TRY(attributes, read_attributes(inspection_.reader, *type, raw.task.id));
  const auto find = [&](std::string_view name) {
    auto found = find_in_entries(inspection_.reader, attributes, name);
    return found && *found ? **found : Address{};
  };
  Members members;
  members.source_traceback = find("_source_traceback");
  members.context = find("_context");
  if (raw.task.state == TaskState::kFinished) {
    members.exception = find("_exception");
    members.result = find("_result");
    if (Address flag = find("_Future__log_traceback"); !flag.is_null()) {
      ASYNCSPY_TRY(value, read_integer(inspection_.reader, flag));
      members.never_retrieved = value != 0;
    }
  }
  return members;
}

Result<bool> TaskFactsReader::is_none(Address object) {
  if (object.is_null()) return true;
  ASYNCSPY_TRY(type, inspection_.types.of(inspection_.reader, object));
  return type->name == "NoneType";
}

Result<std::uint32_t> TaskFactsReader::index_of_text(Address text) {
  const std::uint32_t index = find_name_of_text(inspection_, text);
  if (index == kNoFunction) return fail(ErrorKind::kUnreadable, "a name can not be read", {}, text);
  return index;
}

Result<SourcePlace> TaskFactsReader::make_place(Address file, Address line, Address function) {
  SourcePlace place;
  ASYNCSPY_TRY(file_name, index_of_text(file));
  ASYNCSPY_TRY(function_name, index_of_text(function));
  place.file = file_name;
  place.function = function_name;
  ASYNCSPY_TRY(has_no_line, is_none(line));
  if (!has_no_line) {
    ASYNCSPY_TRY(number, read_integer(inspection_.reader, line));
    place.line = static_cast<std::int32_t>(std::clamp<std::int64_t>(number, 0, INT32_MAX));
  }
  return place;
}

// traceback.StackSummary: a list of FrameSummary, whose members are slots (Lib/traceback.py). The last is the call itself.
Result<std::vector<SourcePlace>> TaskFactsReader::read_creation(Address summary) {
  std::vector<SourcePlace> places;
  ASYNCSPY_TRY(none, is_none(summary));
  if (none) return places;
  const ObjectReader& reader = inspection_.reader;
  ASYNCSPY_TRY(type, inspection_.types.of(reader, summary));
  if (!inspection_.types.inherits(reader, *type, "list")) return fail(ErrorKind::kCorrupt, "not a stack", {}, summary);
  ASYNCSPY_TRY(frames, read_list(reader, summary, kMostPlaces));
  for (Address frame : frames) {
    ASYNCSPY_TRY(frame_type, inspection_.types.of(reader, frame));
    Address members[3];
    constexpr std::string_view kNames[] = {"filename", "lineno", "name"};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      ASYNCSPY_TRY(offset, inspection_.types.slot_offset(reader, *frame_type, kNames[i]));
      if (!offset) return fail(ErrorKind::kCorrupt, "not a frame of a stack", {}, frame);
      ASYNCSPY_TRY(member, reader.memory.read_value<Address>(frame + static_cast<std::uint64_t>(*offset)));
      members[i] = member;
    }
    ASYNCSPY_TRY(place, make_place(members[0], members[1], members[2]));
    places.push_back(place);
  }
  return places;
}

// cr_origin: tuples of file, line and function, the innermost first (Objects/genobject.c, compute_cr_origin).
Result<std::vector<SourcePlace>> TaskFactsReader::read_origin(const RawTask& raw) {
  std::vector<SourcePlace> places;
  if (raw.task.stack.empty() || raw.task.stack.front().kind != FrameKind::kCoroutine) return places;
  const ObjectReader& reader = inspection_.reader;
  ASYNCSPY_TRY(origin, reader.read(raw.task.stack.front().object, inspection_.layout().generator.origin));
  ASYNCSPY_TRY(none, is_none(origin));
  if (none) return places;
  ASYNCSPY_TRY(type, inspection_.types.of(reader, origin));
  if (type->name != "tuple") return fail(ErrorKind::kCorrupt, "not an origin", {}, origin);
  ASYNCSPY_TRY(frames, read_tuple(reader, origin, kMostPlaces));
  for (Address frame : frames) {
    ASYNCSPY_TRY(parts, read_tuple(reader, frame, 4));
    if (parts.size() != 3) return fail(ErrorKind::kCorrupt, "not a frame of an origin", {}, frame);
    ASYNCSPY_TRY(place, make_place(parts[0], parts[1], parts[2]));
    places.push_back(place);
  }
  std::ranges::reverse(places);
  return places;
}

std::string TaskFactsReader::name_of_variable(Address variable) {
  auto known = variable_names_.find(variable);
  if (known != variable_names_.end()) return known->second;
  std::string name;
  auto type = inspection_.types.of(inspection_.reader, variable);
  if (type && (*type)->short_name() == "ContextVar") {
    auto name_at = inspection_.reader.read(variable, inspection_.layout().context.variable_name);
    auto text = name_at ? read_text(inspection_.reader, *name_at) : fail(ErrorKind::kCorrupt, "no name");
    if (text) name = std::move(*text);
  }
  return variable_names_.emplace(variable, std::move(name)).first->second;
}

Result<std::vector<ContextValue>> TaskFactsReader::read_variables(Address context, Context wanted) {
  std::vector<ContextValue> values;
  ASYNCSPY_TRY(entries, read_context(inspection_, context));
  for (const ContextEntry& entry : entries) {
    const std::string name = name_of_variable(entry.variable);
    if (name.empty()) return fail(ErrorKind::kCorrupt, "name of a context variable can not be read", {}, entry.variable);
    const bool is_asked_for = std::ranges::any_of(context_, [&](const std::string& each) { return each == "*" || each == name; });
    const bool is_telling = wanted == Context::kAll && std::ranges::find(kOfLibraries, name) == std::end(kOfLibraries) && values.size() < kMostUnasked;
    if (is_asked_for || is_telling) values.push_back({name, representer_.represent(entry.value, name)});
  }
  std::ranges::sort(values, {}, &ContextValue::name);
  return values;
}

void TaskFactsReader::add_traceback(RawTask& raw, Address exception, Outcome& outcome) {
  auto places = read_traceback(inspection_, exception);
  if (!places) {
    raw.task.gaps.push_back({"traceback of exception", places.error().what, places.error().at});
    return;
  }
  for (const RaisedAt& place : *places) {
    const Function& function = inspection_.codes.functions()[place.function];
    outcome.raised_at.push_back({inspection_.names.index_of(function.qualified_name), inspection_.names.index_of(function.file), place.line});
  }
}

Result<Outcome> TaskFactsReader::read_outcome(const Members& members) {
  Outcome outcome;
  ASYNCSPY_TRY(has_no_exception, is_none(members.exception));
  outcome.is_exception = !has_no_exception;
  if (outcome.is_exception) {
    outcome.text = representer_.represent_exception(members.exception);
    outcome.never_retrieved = members.never_retrieved;
  } else if (members.result.is_null()) {
    return fail(ErrorKind::kCorrupt, "neither a result nor an exception");
  } else {
    outcome.text = representer_.represent(members.result);
  }
  return outcome;
}

void TaskFactsReader::add_handled(RawTask& raw, TaskFacts& facts) {
  for (const Handled& handled : raw.chain.handled) {
    auto type = inspection_.types.of(inspection_.reader, handled.exception);
    if (type && (*type)->name == "NoneType") continue;
    if (!type || !inspection_.types.inherits(inspection_.reader, **type, "BaseException")) {
      raw.task.gaps.push_back({"handled exception", type ? "not an exception" : type.error().what, handled.exception});
      continue;
    }
    const bool is_cancellation = std::ranges::any_of(
        kCancellations, [&](std::string_view name) { return inspection_.types.inherits(inspection_.reader, **type, name); });
    facts.handling.push_back({handled.frame, representer_.represent_exception(handled.exception), is_cancellation});
  }
}

}  // namespace asyncspy

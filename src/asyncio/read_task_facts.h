// What a task object tells of itself beyond its stack (model/task_facts.h).
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "read_task.h"
#include "represent.h"
#include "task_facts.h"

namespace asyncspy {

class TaskFactsReader {
 public:
  // `context` names the context variables that are wanted, "*" all of them; `mask` as for Representer.
  TaskFactsReader(Inspection& inspection, std::vector<std::string> context, bool mask);

  // Which context variables are read: those that are wanted, or all but those of libraries that tell nothing of a request.
  enum class Context : std::uint8_t { kWanted, kAll };

  // Never fails: what can not be read becomes a gap of the task. To be asked before threads' frames are joined to its stack.
  [[nodiscard]] TaskFacts read(RawTask& raw, Context context);

 private:
  // What the object keeps, null where it keeps nothing.
  struct Members {
    Address source_traceback;
    Address exception;
    Address result;
    Address context;
    bool never_retrieved = false;
  };

  [[nodiscard]] Result<Members> read_members(const RawTask& raw);
  [[nodiscard]] Result<Members> read_python_members(const RawTask& raw);
  [[nodiscard]] Result<bool> is_none(Address object);

  [[nodiscard]] Result<std::vector<SourcePlace>> read_creation(Address summary);
  [[nodiscard]] Result<std::vector<SourcePlace>> read_origin(const RawTask& raw);
  [[nodiscard]] Result<SourcePlace> make_place(Address file, Address line, Address function);
  [[nodiscard]] Result<std::uint32_t> index_of_text(Address text);
  [[nodiscard]] Result<std::vector<ContextValue>> read_variables(Address context, Context wanted);
  [[nodiscard]] std::string name_of_variable(Address variable);
  [[nodiscard]] Result<Outcome> read_outcome(const Members& members);
  void add_traceback(RawTask& raw, Address exception, Outcome& outcome);
  void add_handled(RawTask& raw, TaskFacts& facts);

  Inspection& inspection_;
  std::vector<std::string> context_;
  Representer representer_;
  std::unordered_map<Address, std::string> variable_names_;
};

}  // namespace asyncspy

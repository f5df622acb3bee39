#include "permission.h"

#include <fmt/format.h>

#include "escaped_text.h"
#include "field_reader.h"
#include "procfs.h"
#include "system_files.h"

namespace asyncspy {

std::string permission_hint(std::optional<int> yama_scope) {
  std::string hint =
      "it needs the capability CAP_SYS_PTRACE: run asyncspy as root (sudo); in a container start it with --cap-add "
      "SYS_PTRACE; in Kubernetes set shareProcessNamespace: true on the pod and add SYS_PTRACE to "
      "securityContext.capabilities of asyncspy's container";
  if (!yama_scope || *yama_scope <= 0) return hint;
  hint += fmt::format(". /proc/sys/kernel/yama/ptrace_scope is {}: ", *yama_scope);
  if (*yama_scope == 1) {
    hint += "without that capability only a process's own ancestors may read it";
  } else if (*yama_scope == 2) {
    hint += "without that capability nobody may read any process";
  } else {
    hint += "nobody, not even root, may stop any process until the machine is started again";
  }
  return hint;
}

std::optional<int> read_yama_scope() {
  const FileText file = read_system_file("/proc/sys/kernel/yama/ptrace_scope");
  FieldReader fields(file.text);
  const int scope = fields.number<int>();
  return file.ok && fields.ok() ? std::optional(scope) : std::nullopt;
}

Error explain_refusal(int pid, const std::string& doing) {
  const auto status = read_process_status(std::to_string(pid));
  if (status && status->tracer != 0) {
    const auto tracer = read_process_stat(std::to_string(status->tracer));
    const std::string name = tracer ? fmt::format(" ({})", escape_text(tracer->name)) : "";
    const std::string other_way = doing == "stop" ? ", or read it without stopping it: --no-pause" : "";
    return {ErrorKind::kPermission,
            fmt::format("process {}: is being traced by process {}{}", pid, status->tracer, name),
            fmt::format("a process can have one debugger at a time: detach process {} from it first{}", status->tracer, other_way),
            {}};
  }
  return {ErrorKind::kPermission,
          fmt::format("process {}: the kernel does not let asyncspy {} it", pid, doing),
          permission_hint(read_yama_scope()),
          {}};
}

Error process_ended(int pid) {
  return {ErrorKind::kNoProcess, fmt::format("process {}: ended while it was being read", pid), {}, {}};
}

}  // namespace asyncspy

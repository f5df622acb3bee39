// The sections of the text output, in the order of the page. Internal to text_*.cpp.
#pragma once

#include <string>
#include <vector>

#include "text_page.h"

namespace asyncspy {

void put_process(TextPage& page);
void put_findings(TextPage& page);
void put_loops(TextPage& page);
void put_tasks(TextPage& page);
void put_threads(TextPage& page);
void put_gaps(TextPage& page);  // and warnings

// Frames in aligned columns, outermost first. `indent` columns before each line.
void put_stack(TextPage& page, const std::vector<Frame>& stack, std::size_t indent);

// What the tasks of one group wait for, as one sentence without a full stop.
[[nodiscard]] std::string describe_wait(const TextPage& page, const std::vector<const Task*>& tasks);

// What the thread is doing: "asleep in read(fd 7: pipe:[123])", "on the CPU".
[[nodiscard]] std::string describe_activity(const TextPage& page, const Thread& thread);

// "holds the GIL", "waits for the GIL, held by thread 4711 (worker)", or empty.
[[nodiscard]] std::string describe_gil(const TextPage& page, const Thread& thread);

// True when the running task or callback of this task's loop is shown with its loop already.
[[nodiscard]] bool is_shown_with_loop(const Report& report, const Task& task);

}  // namespace asyncspy

// The sections of the text output, in the order of the page. Internal to text_*.cpp, and what the panels of tui/ are made of.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph_walks.h"
#include "text_page.h"

namespace asyncspy {

void put_process(TextPage& page);
void put_incident(TextPage& page);  // when `asyncspy watch` took the report
// `lines`: how many they may take, unless everything is wanted.
void put_findings(TextPage& page, std::size_t lines);
void put_loops(TextPage& page, std::size_t lines);
void put_tasks(TextPage& page, std::size_t lines);
void put_tree(TextPage& page);          // instead of put_tasks()
void put_chosen_tasks(TextPage& page);  // instead of all but put_process()
void put_filter(TextPage& page);        // which tasks are left out, if any are
void put_threads(TextPage& page, std::size_t lines);
void put_objects(TextPage& page);  // when the heap was looked at
void put_gaps(TextPage& page);  // and warnings

// Frames in aligned columns, outermost first. `indent` columns before each line.
void put_stack(TextPage& page, const std::vector<Frame>& stack, std::size_t indent);

// All or a task's part of the frames of a thread, with its calls of machine code between them where these are known.
void put_thread_stack(TextPage& page, const Thread& thread, const std::vector<Frame>& stack, std::size_t indent);

// The tasks of one group or row: how many, their names, and what is unusual about them.
[[nodiscard]] std::string describe_tasks(const TextPage& page, const std::vector<const Task*>& tasks);

// All in one line: "Shop.history  /srv/shop/app.py:64  = wait for Semaphore.acquire() on 0x7f...", and with their number
// or name before it.
[[nodiscard]] std::string describe_place(const TextPage& page, const std::vector<const Task*>& tasks);
[[nodiscard]] std::string describe_briefly(const TextPage& page, const std::vector<const Task*>& tasks);

// Lines that begin with `indent` and "= ": what they wait for, then what else is to be said of them.
void put_remarks(TextPage& page, const std::vector<const Task*>& tasks, const std::string& indent);
void put_further_remarks(TextPage& page, const std::vector<const Task*>& tasks, const std::string& indent);

// What is known of some of them (model/task_facts.h): "request_id = 'a', 'b'" or empty, the lines that put_further_remarks() has
// for it, and all of it for one task.
[[nodiscard]] std::string describe_context(const TextPage& page, const std::vector<const Task*>& tasks);
void put_fact_remarks(TextPage& page, const std::vector<const Task*>& tasks, const std::string& indent);
void put_all_facts(TextPage& page, const Task& task);

// What the tasks of one group wait for, as one sentence without a full stop.
[[nodiscard]] std::string describe_wait(const TextPage& page, const std::vector<const Task*>& tasks);

// What is known of something that tasks wait for: "locked, held by transfer-7 (inside `async with` of transfer), 12 waiters",
// "fd 12: tcp 10.0.0.1:4242 -> 10.0.0.2:5432 ESTABLISHED", "job fetch in ThreadPoolExecutor, queued behind 3 others, ...".
[[nodiscard]] std::string describe_primitive(const TextPage& page, const Primitive& primitive);
[[nodiscard]] std::string describe_descriptor_of(const TextPage& page, int number);
[[nodiscard]] std::string describe_job(const TextPage& page, const Job& job);
[[nodiscard]] std::string describe_child_of(const TextPage& page, int pid);

// Where most of these sockets lead: "45 to 10.0.0.2:5432, 3 to 10.0.0.3:6379"; empty when no peer is known.
[[nodiscard]] std::string describe_peers(const TextPage& page, const std::vector<int>& numbers);

// "Task-3", "Lock 0x7f...", "thread 4711 (worker)", "job fetch".
[[nodiscard]] std::string name_node(const TextPage& page, const Node& node);

// The same, with where it is or what it does.
[[nodiscard]] std::string describe_node(const TextPage& page, const Node& node);

// Where the task is in the program's own code: "checkout  /srv/shop/orders.py:88"; empty when it has no stack.
[[nodiscard]] std::string place_task(const TextPage& page, const Task& task);

// The trees below these tasks.
void put_tree_below(TextPage& page, const AwaitGraph& graph, const Components& components, std::span<const NodeIndex> wanted);

// What the thread is doing: "asleep in read(fd 7: pipe:[123])", "on the CPU".
[[nodiscard]] std::string describe_activity(const TextPage& page, const Thread& thread);

// "holds the GIL", "waits for the GIL, held by thread 4711 (worker)", or empty.
[[nodiscard]] std::string describe_gil(const TextPage& page, const Thread& thread);

// The state of a loop in words and how to paint it.
struct Headline {
  std::string_view words;
  Role role;
};
[[nodiscard]] Headline describe_loop_state(LoopState state);

// The command line, not escaped; the name in brackets when there is none.
[[nodiscard]] std::string describe_command(const ProcessFacts& process);

// True when the running task or callback of this task's loop is shown with its loop already.
[[nodiscard]] bool is_shown_with_loop(const Report& report, const Task& task);

}  // namespace asyncspy

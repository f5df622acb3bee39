#include "await_graph.h"

#include "catch.h"
#include "graph_walks.h"
#include "sample_graph.h"

namespace asyncspy {
namespace {

std::vector<NodeIndex> awaited_by(const AwaitGraph& graph, NodeIndex node) {
  std::vector<NodeIndex> found;
  for (const AwaitEdge& edge : graph.edges_from(node)) found.push_back(edge.to);
  return found;
}

std::vector<NodeIndex> waiters_of(const AwaitGraph& graph, NodeIndex node) {
  std::vector<NodeIndex> found;
  for (std::uint32_t place : graph.edges_to(node)) found.push_back(graph.edges()[place].from);
  return found;
}

using Nodes = std::vector<NodeIndex>;

}  // namespace

TEST_CASE("a report without tasks makes an empty graph") {
  const AwaitGraph graph = AwaitGraph::build(Report{});
  CHECK(graph.nodes().empty());
  CHECK(graph.edges().empty());
  CHECK(graph.find(NodeKind::kTask, 1) == kNoNode);
}

TEST_CASE("the node of a task is its index, and edges are found from both of their ends") {
  Report report = sample::make_tasks({{1, 2}, {2}, {}});
  const AwaitGraph graph = AwaitGraph::build(report);
  CHECK(graph.find(NodeKind::kTask, report.tasks[2].id.value()) == 2);
  CHECK(graph.nodes()[2].index == 2);
  CHECK(awaited_by(graph, 0) == Nodes{1, 2});
  CHECK(awaited_by(graph, 1) == Nodes{2});
  CHECK(waiters_of(graph, 2) == Nodes{0, 1});
  CHECK(waiters_of(graph, 0).empty());
  CHECK(graph.construct(graph.edges_from(0)[0]) == "gather");
  CHECK(graph.construct(graph.edges_from(1)[0]) == "await");
  const NodeIndex timer = graph.find(NodeKind::kTimer, report.tasks[2].awaited.value());
  REQUIRE(timer != kNoNode);
  CHECK(awaited_by(graph, 2) == Nodes{timer});
}

TEST_CASE("what many tasks wait for is one node") {
  Report report = sample::make_tasks(std::vector<std::vector<std::size_t>>(10'000));
  for (Task& task : report.tasks) {
    OnFuture wait;
    wait.future = Address{0x5000};
    task.wait = wait;
  }
  const AwaitGraph graph = AwaitGraph::build(report);
  CHECK(graph.nodes().size() == 10'001);
  CHECK(graph.edges_to(graph.find(NodeKind::kFuture, 0x5000)).size() == 10'000);
}

TEST_CASE("every kind of wait has a node of its kind, or none") {
  Report report = sample::make_tasks(std::vector<std::vector<std::size_t>>(8));
  report.tasks[0].wait = Unknown{"?"};
  report.tasks[1].wait = Done{};
  report.tasks[2].wait = Running{};
  report.tasks[3].wait = Ready{"not started"};
  OnPrimitive lock;
  lock.operation = "acquire";
  lock.object = Address{0x77};
  report.tasks[4].wait = lock;
  OnDescriptor descriptor;
  descriptor.descriptor = 0x77;
  report.tasks[5].wait = descriptor;
  OnFuture future;
  future.future = Address{0x77};
  report.tasks[6].wait = future;
  report.tasks[7].awaited = Address{};  // of its timer nothing is known
  const AwaitGraph graph = AwaitGraph::build(report);
  for (NodeIndex node : {0u, 1u, 2u, 3u, 7u}) CHECK(graph.edges_from(node).empty());
  CHECK(awaited_by(graph, 4) == Nodes{graph.find(NodeKind::kPrimitive, 0x77)});
  CHECK(graph.construct(graph.edges_from(4)[0]) == "acquire");
  CHECK(awaited_by(graph, 5) == Nodes{graph.find(NodeKind::kDescriptor, 0x77)});
  CHECK(awaited_by(graph, 6) == Nodes{graph.find(NodeKind::kFuture, 0x77)});
  CHECK(graph.nodes().size() == 11);
}

TEST_CASE("from a lock the graph leads on to its holders, certain or not") {
  Report report = sample::make_tasks({{}, {}, {}});
  OnPrimitive wait;
  wait.operation = "acquire";
  wait.object = Address{0x77};
  report.tasks[0].wait = wait;
  Primitive lock;
  lock.id = Address{0x77};
  lock.holders = {{report.tasks[1].id, "inside `async with`", true}, {report.tasks[2].id, "in a local variable", false}};
  Primitive unused = lock;
  unused.id = Address{0x88};
  report.primitives = {unused, lock};
  const AwaitGraph graph = AwaitGraph::build(report);
  const NodeIndex node = graph.find(NodeKind::kPrimitive, 0x77);
  REQUIRE(node != kNoNode);
  CHECK(graph.nodes()[node].index == 1);
  CHECK(graph.find(NodeKind::kPrimitive, 0x88) == kNoNode);
  REQUIRE(graph.edges_from(node).size() == 2);
  CHECK(graph.edges_from(node)[0].kind == EdgeKind::kHeldBy);
  CHECK(graph.edges_from(node)[0].to == 1);
  CHECK(graph.edges_from(node)[0].certain);
  CHECK_FALSE(graph.edges_from(node)[1].certain);
}

TEST_CASE("a thread that waits for its own loop closes a cycle once the needs of tasks are included") {
  // Task 0 runs on the loop of thread 40 and waits there for the result of task 1, which needs that loop.
  Report report = sample::make_tasks({{}, {}, {}});
  report.tasks[0].wait = Running{};
  report.tasks[0].running = true;
  report.tasks[2].state = TaskState::kFinished;
  report.tasks[2].wait = Done{};
  for (Task& task : report.tasks) task.loop = 0;
  report.threads.resize(1);
  report.threads[0].tid = 40;
  report.threads[0].awaited_job = Address{0x99};
  report.threads[0].awaited_task = report.tasks[1].id;
  report.loops.resize(1);
  report.loops[0].thread = 0;
  const AwaitGraph plain = AwaitGraph::build(report);
  const NodeIndex thread = plain.find(NodeKind::kThread, 40);
  REQUIRE(thread != kNoNode);
  CHECK(awaited_by(plain, 0) == Nodes{thread});
  CHECK(awaited_by(plain, thread) == Nodes{1});
  CHECK_FALSE(find_components(plain).is_in_cycle(1));
  const AwaitGraph whole = AwaitGraph::build(report, LoopEdges::kInclude);
  CHECK(find_components(whole).is_in_cycle(1));
  CHECK_FALSE(find_components(whole).is_in_cycle(0));
  CHECK(awaited_by(whole, 2).empty());
}

TEST_CASE("a job leads on to the thread that does it, a child process is known by its number") {
  Report report = sample::make_tasks({{}, {}, {}});
  report.tasks[0].wait = OnJob{Address{0x50}};
  report.tasks[1].wait = OnProcess{4711, "wait"};
  report.tasks[2].wait = OnJob{Address{0x60}};
  report.threads.resize(2);
  report.threads[1].tid = 41;
  Job job;
  job.id = Address{0x50};
  job.state = JobState::kRunning;
  job.thread = 1;
  report.jobs = {job};
  const AwaitGraph graph = AwaitGraph::build(report);
  const NodeIndex node = graph.find(NodeKind::kJob, 0x50);
  CHECK(awaited_by(graph, 0) == Nodes{node});
  CHECK(awaited_by(graph, node) == Nodes{graph.find(NodeKind::kThread, 41)});
  CHECK(graph.nodes()[graph.find(NodeKind::kThread, 41)].index == 1);
  CHECK(awaited_by(graph, 1) == Nodes{graph.find(NodeKind::kProcess, 4711)});
  CHECK(graph.nodes()[graph.find(NodeKind::kJob, 0x60)].index == kNotListed);
}

TEST_CASE("a task that is not in the report is a node that says so") {
  Report report = sample::make_tasks({{}});
  OnTask wait;
  wait.task = Address{0xdead};
  report.tasks[0].wait = wait;
  const AwaitGraph graph = AwaitGraph::build(report);
  const NodeIndex stranger = graph.find(NodeKind::kTask, 0xdead);
  REQUIRE(stranger == 1);
  CHECK(graph.nodes()[stranger].index == kNotListed);
  CHECK(waiters_of(graph, stranger) == Nodes{0});
}

TEST_CASE("a task that garbage lists twice keeps both of its nodes apart") {
  Report report = sample::make_tasks({{}, {0}, {}});
  report.tasks[2].id = report.tasks[0].id;
  const AwaitGraph graph = AwaitGraph::build(report);
  CHECK(graph.find(NodeKind::kTask, report.tasks[0].id.value()) == 0);
  CHECK(awaited_by(graph, 1) == Nodes{0});
}

}  // namespace asyncspy

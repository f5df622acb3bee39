#include "await_graph.h"

#include "catch.h"
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

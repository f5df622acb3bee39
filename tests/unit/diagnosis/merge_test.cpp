#include "merge.h"

#include "catch.h"

namespace asyncspy {
namespace {

Finding make_finding(std::string rule, std::vector<Address> tasks, std::vector<int> threads = {}) {
  Finding finding;
  finding.rule = std::move(rule);
  finding.tasks = std::move(tasks);
  finding.threads = std::move(threads);
  return finding;
}

std::vector<std::string> merged(std::vector<Finding> findings) {
  merge_findings(findings);
  std::vector<std::string> rules;
  for (const Finding& finding : findings) rules.push_back(finding.rule);
  return rules;
}

constexpr Address kOne{0x10};
constexpr Address kTwo{0x20};

}  // namespace

TEST_CASE("what a finding explains is not said again") {
  CHECK(merged({make_finding("P22", {kOne, kTwo}), make_finding("P13", {kOne}), make_finding("P13", {kTwo})}) == std::vector<std::string>{"P22"});
  CHECK(merged({make_finding("P13", {kOne}), make_finding("P24", {kOne})}) == std::vector<std::string>{"P24"});
  CHECK(merged({make_finding("P27", {}, {7}), make_finding("P03", {}, {7})}) == std::vector<std::string>{"P27"});
  CHECK(merged({make_finding("P05", {kOne}), make_finding("P07", {kOne})}) == std::vector<std::string>{"P05"});
}

TEST_CASE("what is not explained stays") {
  CHECK(merged({make_finding("P22", {kOne}), make_finding("P13", {kTwo})}) == std::vector<std::string>{"P22", "P13"});
  CHECK(merged({make_finding("P22", {kOne}), make_finding("P13", {kOne, kTwo})}) == std::vector<std::string>{"P22", "P13"});
  CHECK(merged({make_finding("P13", {kOne}), make_finding("P13", {kOne})}) == std::vector<std::string>{"P13", "P13"});
  CHECK(merged({make_finding("P27", {}, {7}), make_finding("P03", {}, {})}) == std::vector<std::string>{"P27", "P03"});
  CHECK(merged({make_finding("P01", {kOne}), make_finding("P13", {kOne})}) == std::vector<std::string>{"P01", "P13"});
  CHECK(merged({}).empty());
}

}  // namespace asyncspy

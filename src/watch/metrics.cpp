#include "metrics.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>

#include "words.h"

namespace asyncspy {
namespace {

constexpr std::size_t kMostCommand = 120;  // characters of a label

// Backslash, quotation mark and line feed are what the format has escapes for; other control characters become question marks.
std::string escape_label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      escaped += '\\';
      escaped += c;
    } else if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
  }
  return escaped;
}

// At most so many bytes, whole characters only, and valid UTF-8: bytes that are none become question marks.
std::string cut_text(std::string_view text, std::size_t most) {
  std::string cut;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
    const unsigned lead = byte(0);
    std::size_t length = lead < 0x80 ? 1 : lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xC2 && lead < 0xE0 ? 2 : 0;
    bool valid = length > 0;
    for (std::size_t k = 1; valid && k < length; ++k) valid = (byte(k) & 0xC0) == 0x80;
    // Longer than need be, halves of surrogate pairs, beyond U+10FFFF (RFC 3629, section 4).
    if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) >= 0xA0) || (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) >= 0x90)) valid = false;
    if (!valid) length = 1;
    if (cut.size() + length > most) break;
    cut += valid ? text.substr(i, length) : "?";
    i += length;
  }
  return cut;
}

class MetricsText {
 public:
  explicit MetricsText(const std::vector<TargetMetrics>& targets) : targets_(targets) {
    for (const TargetMetrics& target : targets) {
      labels_.push_back(fmt::format(R"(pid="{}",command="{}",pod="{}",container="{}")", target.pid, escape_label(cut_text(target.command, kMostCommand)),
                                    escape_label(target.names.pod), escape_label(target.names.container)));
    }
  }

  void head(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }

  void line(std::string_view name, std::string_view labels, double value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
  }

  // One value of each process.
  void each(std::string_view name, std::string_view type, std::string_view help, const std::function<double(const TargetMetrics&)>& value) {
    head(name, type, help);
    for (std::size_t i = 0; i < targets_.size(); ++i) line(name, labels_[i], value(targets_[i]));
  }

  // Several values of each process, with labels of their own.
  using Put = std::function<void(const std::string& labels, double value)>;
  void several(std::string_view name, std::string_view type, std::string_view help, const std::function<void(const TargetMetrics&, const Put&)>& list) {
    head(name, type, help);
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      list(targets_[i], [&](const std::string& labels, double value) { line(name, labels_[i] + "," + labels, value); });
    }
  }

  void lags() {
    constexpr std::string_view kName = "asyncspy_loop_lag_seconds";
    head(kName, "histogram", "At each sample: for how long a loop had been in one step, or how late it was; lower bounds.");
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const TargetCounts& counts = targets_[i].counts;
      std::uint64_t sum = 0;
      for (std::size_t bucket = 0; bucket < counts.lags.size(); ++bucket) {
        sum += counts.lags[bucket];
        const std::string bound = bucket < kLagBounds.size() ? fmt::format("{}", kLagBounds[bucket]) : "+Inf";
        line(fmt::format("{}_bucket", kName), fmt::format(R"({},le="{}")", labels_[i], bound), static_cast<double>(sum));
      }
      line(fmt::format("{}_sum", kName), labels_[i], counts.lag_sum);
      line(fmt::format("{}_count", kName), labels_[i], static_cast<double>(sum));
    }
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  const std::vector<TargetMetrics>& targets_;
  std::vector<std::string> labels_;
  std::string text_;
};

}  // namespace

std::string render_metrics(const std::vector<TargetMetrics>& targets, const OwnMetrics& own) {
  MetricsText text(targets);
  text.head("asyncspy_build_info", "gauge", "Version of asyncspy.");
  text.line("asyncspy_build_info", fmt::format(R"(version="{}")", escape_label(own.version)), 1);
  text.head("asyncspy_targets", "gauge", "Processes that are watched.");
  text.line("asyncspy_targets", "", static_cast<double>(targets.size()));
  text.each("asyncspy_target_up", "gauge", "1: the process can be read.", [](const TargetMetrics& target) { return target.up ? 1 : 0; });
  text.each("asyncspy_samples_total", "counter", "Looks at the loops of a process, for which it was not stopped.",
            [](const TargetMetrics& target) { return static_cast<double>(target.counts.looks); });
  text.lags();
  text.each("asyncspy_loop_blocked_seconds_total", "counter", "Time in steps that lasted longer than --stall; a lower bound.",
            [](const TargetMetrics& target) { return target.stalled_seconds; });
  text.each("asyncspy_loop_stalls_total", "counter", "Steps that lasted longer than --stall.",
            [](const TargetMetrics& target) { return static_cast<double>(target.counts.stalls); });
  text.each("asyncspy_loop_ready_handles", "gauge", "Handles in the ready queues, as of the last sample.",
            [](const TargetMetrics& target) { return static_cast<double>(target.ready); });
  text.several("asyncspy_tasks", "gauge", "Tasks by state, as of the last full look.", [](const TargetMetrics& target, const auto& put) {
    for (const auto& [state, count] : target.facts.tasks) put(fmt::format(R"(state="{}")", state), static_cast<double>(count));
  });
  text.several("asyncspy_findings", "gauge", "Findings that are warnings or errors, as of the last full look.", [](const TargetMetrics& target, const auto& put) {
    for (const auto& [key, count] : target.facts.findings) {
      put(fmt::format(R"(rule="{}",confidence="{}")", key.first, key.second), static_cast<double>(count));
    }
  });
  text.several("asyncspy_incidents_total", "counter", "Incidents by what was noticed.", [](const TargetMetrics& target, const auto& put) {
    for (std::size_t i = 0; i < kTriggers; ++i) {
      put(fmt::format(R"(trigger="{}")", to_word(static_cast<IncidentTrigger>(i))), static_cast<double>(target.incidents[i]));
    }
  });
  text.each("asyncspy_target_pause_seconds_total", "counter", "Time that the process was stopped for full looks.",
            [](const TargetMetrics& target) { return target.pause_seconds; });
  text.head("process_cpu_seconds_total", "counter", "Processor time of asyncspy itself.");
  text.line("process_cpu_seconds_total", "", own.cpu_seconds);
  text.head("process_resident_memory_bytes", "gauge", "Resident memory of asyncspy itself.");
  text.line("process_resident_memory_bytes", "", static_cast<double>(own.resident_bytes));
  return text.take();
}

}  // namespace asyncspy

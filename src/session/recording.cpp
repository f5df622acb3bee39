#include "recording.h"

#include <fmt/format.h>

#include <algorithm>

#include "core_writer.h"
#include "recording_facts.h"

namespace asyncspy {
namespace {

// The pages that a recording holds. What it does not hold was not there, whatever the machine's files say now.
class RecordedPages final : public BulkMemory {
 public:
  explicit RecordedPages(CoreFile core) : core_(std::move(core)) {}

  [[nodiscard]] Result<void> read(Address from, std::span<std::byte> into) override {
    if (core_.read_stored(from, into)) return {};
    return fail(ErrorKind::kUnreadable, "memory is not in the recording", {}, from);
  }
  [[nodiscard]] bool is_partial() const override { return true; }

 private:
  CoreFile core_;
};

const CoreNote* find_facts(const CoreFile& core) {
  const auto found = std::ranges::find_if(core.notes(), [](const CoreNote& note) {
    return note.owner == kRecordingOwner && note.type == kRecordingType;
  });
  return found == core.notes().end() ? nullptr : &*found;
}

}  // namespace

Result<bool> write_recording(Snapshot& snapshot, std::string_view tool_version, const WriteBytes& out) {
  const std::string facts = render_recording_facts(snapshot, tool_version);
  const CoreContent content{.process = snapshot.process,
                            .threads = snapshot.threads,
                            .note_owner = kRecordingOwner,
                            .note_type = kRecordingType,
                            .note = facts,
                            .pages = snapshot.memory->recorded(),
                            .memory = *snapshot.memory};
  return write_core(content, out);
}

bool is_recording(const CoreFile& core) { return find_facts(core) != nullptr; }

Result<Snapshot> read_recording(CoreFile core, const std::string& path) {
  const CoreNote* facts = find_facts(core);
  if (facts == nullptr) return fail(ErrorKind::kInternal, fmt::format("{}: is no recording", path));
  auto snapshot = parse_recording_facts(facts->content);
  if (!snapshot) {
    snapshot.error().what = fmt::format("{}: {}", path, snapshot.error().what);
    return snapshot;
  }
  if (core.missing_bytes() > 0) {
    snapshot->warnings.push_back(fmt::format("{}: is cut short, {} bytes are missing", path, core.missing_bytes()));
  }
  snapshot->source = std::make_unique<RecordedPages>(std::move(core));
  snapshot->memory = std::make_unique<RecordingMemory>(snapshot->source.get());
  return snapshot;
}

}  // namespace asyncspy

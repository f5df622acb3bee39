// Where a command's result goes: standard output, or a file that appears whole or not at all.
//
// A regular file is written without a name (or beside its own), readable by its owner only, since a dump may hold
// secrets, and gets its name in finish(). Anything else that the path names, a device, a pipe or a symbolic link, is
// opened as a shell would: it must not be replaced by a file.
#pragma once

#include <string>
#include <string_view>

#include "exit_code.h"
#include "file_descriptor.h"
#include "result.h"
#include "sink.h"

namespace asyncspy {

class OutputFile final : public Sink {
 public:
  // "-" is standard output. Fails before anything is done to a target.
  [[nodiscard]] static Result<OutputFile> open(const std::string& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile() override;  // without finish(): leaves no file behind

  bool write(std::string_view text) override;

  // Whether everything was written, and the file put into its place. A broken pipe is no error to tell anyone of, but
  // not a success either: see was_cut_off().
  [[nodiscard]] Result<void> finish();

  // The reader of a pipe has gone.
  [[nodiscard]] bool was_cut_off() const;

  [[nodiscard]] bool is_terminal() const;

 private:
  enum class Place { kStandardOutput, kInPlace, kUnnamed, kTemporary };

  OutputFile(std::string path, FileDescriptor file, Place place, std::string temporary);

  [[nodiscard]] int descriptor() const;
  [[nodiscard]] std::string subject() const;
  [[nodiscard]] Result<void> put_into_place();

  std::string path_;
  FileDescriptor file_;  // empty for standard output
  Place place_ = Place::kStandardOutput;
  std::string temporary_;  // name to remove when something fails
  int failure_ = 0;        // errno of the first write that failed
};

// Makes sure that the descriptors 0, 1 and 2 are taken, so that no file that is opened later becomes "standard
// output" when the caller closed it, and that a broken pipe is an error of write() instead of a death.
void secure_standard_streams();

// Writes `text` to standard output; used for texts that no command renders.
ExitCode print_text(std::string_view text);

// Ends a command: finishes the file and turns what happened into an exit code.
ExitCode close_output(OutputFile& output, ExitCode success);

}  // namespace asyncspy

#include "style.h"

namespace asyncspy {
namespace {

// The sixteen basic colours only: every terminal has them, and themes keep them legible on light and dark ground.
std::string_view sequence_of(Role role) {
  switch (role) {
    case Role::kHeading: return "\x1b[1m";
    case Role::kBlocked: return "\x1b[1;31m";
    case Role::kWarning: return "\x1b[33m";
    case Role::kGood: return "\x1b[32m";
    case Role::kName: return "\x1b[1;36m";
    case Role::kLocation: return "\x1b[36m";
    case Role::kDim: return "\x1b[2m";
  }
  return "";
}

}  // namespace

std::string Style::paint(Role role, std::string_view text) const {
  if (!colour_ || text.empty()) return std::string(text);
  std::string out(sequence_of(role));
  out += text;
  out += "\x1b[0m";
  return out;
}

}  // namespace asyncspy

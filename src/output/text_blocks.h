// A list of blocks on a page of limited length: whole blocks while they fit, then one line for each, then a count.
#pragma once

#include <algorithm>
#include <cstddef>

#include "text_page.h"

namespace asyncspy {

struct BlockSpace {
  std::size_t lines = 0;        // for all of them
  std::size_t always = 0;       // so many first ones are whole, whether they fit or not
  std::size_t briefs = 0;       // blocks in one line at the most
  bool apart = false;           // an empty line between whole blocks
};

// Blocks that do not fit are tried once more with their stacks cut to this.
inline constexpr std::size_t kFewFrames = 12;

// `whole(i)` and `brief(i)` print block i. Returns how many of them were printed; all, when everything is wanted.
template <class Whole, class Brief>
std::size_t put_blocks(TextPage& page, std::size_t count, const BlockSpace& space, Whole whole, Brief brief) {
  std::size_t used = 0;
  std::size_t at = 0;
  for (; at < count && page.usable(); ++at) {
    if (page.all()) {
      if (space.apart && at > 0) page.blank();
      whole(at);
      continue;
    }
    const std::size_t reserve = std::min(count - at - 1, space.briefs) + (count - at - 1 > space.briefs ? 2 : 0);
    const std::size_t gap = space.apart && at > 0 ? 1 : 0;
    const auto fits = [&](const std::vector<std::string>& lines) { return at < space.always || used + gap + lines.size() + reserve <= space.lines; };
    auto lines = page.capture([&] { whole(at); });
    if (!fits(lines)) {
      const std::size_t most = page.most_frames();
      page.set_most_frames(std::min(most, kFewFrames));
      lines = page.capture([&] { whole(at); });
      page.set_most_frames(most);
    }
    if (!fits(lines)) break;
    if (gap > 0) page.blank();
    page.print(lines);
    used += gap + lines.size();
  }
  if (at >= count || page.all() || space.briefs == 0) return at;
  if (space.apart && at > 0) page.blank(), ++used;
  const std::size_t end = std::min(count, at + space.briefs);
  for (; at < end && page.usable(); ++at) brief(at);
  return at;
}

}  // namespace asyncspy

// Something that should be in the report and is not, because it could not be read or made no sense.
//
// A gap stands beside the value that it belongs to and is printed; it is never turned into "none".
#pragma once

#include <string>

#include "address.h"

namespace asyncspy {

struct Gap {
  std::string reading;  // what was being read: "name of task", "await chain"
  std::string reason;   // why it failed
  Address at;           // where, or null
};

}  // namespace asyncspy

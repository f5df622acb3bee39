/* The page that a target's pause_probe thread shares with whoever measures. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct pause_record {
  _Atomic int64_t longest_ns; /* between two beats; whoever measures sets it to 0 */
  _Atomic int64_t beats;
};

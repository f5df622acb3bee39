// Catch2's header by either of its names: Debian 12 ships version 2, Debian 13 version 3.
#pragma once

#ifdef ASYNCSPY_CATCH2_V3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

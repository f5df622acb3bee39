// Catch2 version 2 makes its own main here; version 3 brings one as a library.
#ifndef ASYNCSPY_CATCH2_V3
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif

// fmt's functions, for programs that are linked statically: distributions ship their compiled form as a shared library only, and
// to compile them into every file that formats something (FMT_HEADER_ONLY) makes such a file take up to three times as long.
//
// Without FMT_HEADER_ONLY the header of the implementation defines what is no template. Of templates fmt/format.h says `extern` or
// only declares them: those are instantiated here (fmt 9 and 10; what a release needs more is told by the linker).
#include <fmt/format-inl.h>

namespace fmt::detail {

template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);
template dragonbox::decimal_fp<float> dragonbox::to_decimal<float>(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal<double>(double) noexcept;
#if FMT_VERSION >= 100000
template void vformat_to<char>(buffer<char>&, string_view, typename vformat_args<>::type, locale_ref);
#endif

}  // namespace fmt::detail

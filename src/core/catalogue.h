// The translations as they were compiled in (data/text).
#pragma once

#include <string_view>

namespace xfq {

/// data/text/zh.po.
std::string_view catalogue_zh();

}  // namespace xfq

// Names asked for by how they begin.
#pragma once

#include <string_view>

namespace xfq::report {

/// "fp32.nll" fits itself, "fp32.*" whatever begins so.
inline bool fits_pattern(std::string_view pattern, std::string_view text) {
  if (pattern.empty() || pattern.back() != '*') return pattern == text;
  pattern.remove_suffix(1);
  return text.substr(0, pattern.size()) == pattern;
}

}  // namespace xfq::report

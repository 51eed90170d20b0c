// Options that are lists.
#pragma once

#include <fmt/core.h>

#include <set>
#include <vector>

#include "xfq/core/error.h"

namespace xfq::experiments {

/// Throws ErrorKind::usage when a value stands in the list of an option twice.
template <class T>
void refuse_repeats(const char* flag, const std::vector<T>& values) {
  std::set<T> seen;
  for (const T& value : values) {
    if (!seen.insert(value).second) {
      throw_usage(fmt::format("{}: {} is asked for twice", flag, value), "name every value once");
    }
  }
}

}  // namespace xfq::experiments

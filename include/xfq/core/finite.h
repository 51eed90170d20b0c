// Finite checks: a NaN or an infinity is reported where it arises, never printed.
#pragma once

#include <cmath>
#include <cstddef>

namespace xfq {

template <class S>
bool all_finite(const S* data, std::size_t size) {
  // x - x is 0 for finite x and NaN otherwise; the sum keeps any NaN.
  S sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += data[i] - data[i];
  return sum == S(0);
}

}  // namespace xfq

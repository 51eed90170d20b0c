// Errors of exp, log, tanh and erf in units in the last place, against the double
// functions of the C library (whose own error, below 1 ulp of double, is 2e-9 here).
#pragma once

#include <algorithm>

#include "support.h"

namespace xfq::kernels::test {

struct Function {
  const char* name;
  void (*run)(Index size, const float* x, float* y);
  double (*exact)(double x);
  double bound;  ///< largest error allowed, in ulp: what the headers state
};

// The bounds are the largest errors that math_all_test.cpp finds (1.01, 0.83, 1.33,
// 1.21), rounded up.
inline const Function kFunctions[] = {
    {"exp", exp_forward<float>, std::exp, 1.1},
    {"log", log_forward<float>, std::log, 0.9},
    {"tanh", tanh_forward<float>, std::tanh, 1.4},
    {"erf", erf_forward<float>, std::erf, 1.3},
};

/// The distance of neighbouring floats at x (2^-149 for the denormals).
inline double ulp(double x) {
  const int exponent = std::max(std::ilogb(std::fabs(x)), -126);
  return std::ldexp(1.0, exponent - 23);
}

inline double error_in_ulp(float got, double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : INFINITY;
  // What rounds to infinity.
  if (std::fabs(exact) >= 0x1.ffffffp127) return std::fabs(double(got)) == INFINITY ? 0 : INFINITY;
  if (!std::isfinite(got)) return INFINITY;
  if (exact == 0) return got == 0.0f ? 0 : INFINITY;
  return std::fabs(double(got) - exact) / ulp(exact);
}

struct Worst {
  double error = 0;
  float x = 0;
};

/// Over the bit patterns first, first + stride, ...
inline Worst worst_error(const Function& function, std::uint64_t first, std::uint64_t stride) {
  constexpr std::size_t kBlock = 4096;
  Worst worst;
  Floats x, y(kBlock);
  for (std::uint64_t pattern = first; pattern < (1ull << 32);) {
    x.clear();
    for (; x.size() < kBlock && pattern < (1ull << 32); pattern += stride) {
      const std::uint32_t b = std::uint32_t(pattern);
      float value;
      std::memcpy(&value, &b, sizeof value);
      x.push_back(value);
    }
    function.run(Index(x.size()), x.data(), y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double error = error_in_ulp(y[i], function.exact(double(x[i])));
      if (error > worst.error) worst = {error, x[i]};
    }
  }
  return worst;
}

}  // namespace xfq::kernels::test

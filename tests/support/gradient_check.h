// Central differences against hand-written gradients, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "catch.h"
#include "xfq/core/matrix.h"
#include "xfq/core/random.h"

namespace xfq::test {

inline Vector<double> random_vector(Index size, const char* purpose, double scale = 1) {
  Stream stream(7, purpose);
  Vector<double> values(size);
  for (double& value : values) value = scale * stream.normal();
  return values;
}

/// Largest relative error |numeric - analytic| / max(|analytic|_rms, |numeric|, 1e-8)
/// over at most `probes` entries of x, drawn at random. The numeric derivative is
/// Richardson's extrapolation of two central differences, error O(h^4): with
/// h = 1e-3 and values of order 1 truncation and rounding both stay below 1e-9.
inline double worst_gradient_error(const std::function<double()>& loss, Vector<double>& x,
                                   const Vector<double>& analytic, Index begin, Index size,
                                   Index probes = 40) {
  Stream stream(11, "probe", static_cast<std::uint64_t>(begin));
  const double rms =
      std::sqrt(analytic.segment(begin, size).squaredNorm() / static_cast<double>(size));
  double worst = 0;
  for (Index p = 0; p < std::min(probes, size); ++p) {
    const Index i =
        size <= probes ? begin + p
                       : begin + static_cast<Index>(stream.below(static_cast<std::uint64_t>(size)));
    const double value = x[i];
    const auto difference = [&](double h) {
      x[i] = value + h;
      const double up = loss();
      x[i] = value - h;
      const double down = loss();
      x[i] = value;
      return (up - down) / (2 * h);
    };
    const double h = 1e-3;
    const double numeric = (4 * difference(h / 2) - difference(h)) / 3;
    const double scale = std::max({rms, std::abs(numeric), 1e-8});
    worst = std::max(worst, std::abs(numeric - analytic[i]) / scale);
  }
  return worst;
}

}  // namespace xfq::test

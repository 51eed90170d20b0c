// aciq: analytic clip thresholds for Laplace and normal densities.
#include <algorithm>
#include <cmath>

#include "calibrators.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

const double kSqrtHalf = 0.70710678118654752440;
const double kSqrtTwoOverPi = 0.79788456080286535588;

// The root of an increasing function on (0, 64).
template <class F>
double root(const F& f) {
  double lo = 0;
  double hi = 64;
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (lo + hi);
    (f(middle) < 0 ? lo : hi) = middle;
  }
  return 0.5 * (lo + hi);
}

// Rounding noise of m steps over [-a, a] is (2 a / m)^2 / 12 = a^2 / (3 m^2); half its derivative:
double rounding_slope(double a, std::int32_t intervals) {
  const auto m = static_cast<double>(intervals);
  return a / (3 * m * m);
}

}  // namespace

double aciq_laplace_clip(std::int32_t intervals) {
  XFQ_ASSERT(intervals >= 1);
  // Clipping noise 2 b^2 exp(-a) with a = T / b.
  return root([&](double a) { return rounding_slope(a, intervals) - std::exp(-a); });
}

double aciq_normal_clip(std::int32_t intervals) {
  XFQ_ASSERT(intervals >= 1);
  // Clipping noise (a^2 + 1) erfc(a / sqrt 2) - sqrt(2 / pi) a exp(-a^2 / 2) with a = T / sigma.
  return root([&](double a) {
    return rounding_slope(a, intervals) + a * std::erfc(a * kSqrtHalf) -
           kSqrtTwoOverPi * std::exp(-0.5 * a * a);
  });
}

double aciq_threshold(const Observation& observation, const NumberFormat& format) {
  // Both densities about 0, as the thresholds are. The likelier one at its best
  // parameter: mean log density -ln(2 b) - 1 against -ln(2 pi sigma^2) / 2 - 1/2.
  const double b = observation.statistics().mean_absolute();
  const double sigma = observation.statistics().root_mean_square();
  const double log_two_pi = 1.8378770664093454836;
  const double laplace = -std::log(2 * b) - 1;
  const double normal = -0.5 * log_two_pi - std::log(sigma) - 0.5;
  const double clip = laplace > normal ? b * aciq_laplace_clip(format.intervals())
                                       : sigma * aciq_normal_clip(format.intervals());
  return std::min(clip, observation.range());
}

}  // namespace xfq::quant

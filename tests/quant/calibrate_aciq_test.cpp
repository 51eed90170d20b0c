// aciq: published constants, a scan of the noise formulas, and the choice of the density.
#include <cmath>
#include <functional>

#include "samples.h"
#include "xfq/quant/calibration.h"

using namespace xfq::quant;
using xfq::test::sample;
using xfq::test::Shape;

TEST_CASE("published clips") {
  // Banner et al. 2019: Laplace 2.83 b, 3.89 b, 5.03 b and normal 1.71, 2.15, 2.55 sigma at 2, 3, 4
  // bits, printed with two decimals.
  CHECK(aciq_laplace_clip(4) == Approx(2.83).margin(0.005));
  CHECK(aciq_laplace_clip(8) == Approx(3.89).margin(0.01));
  CHECK(aciq_laplace_clip(16) == Approx(5.03).margin(0.005));
  CHECK(aciq_normal_clip(4) == Approx(1.71).margin(0.005));
  CHECK(aciq_normal_clip(8) == Approx(2.15).margin(0.01));
  CHECK(aciq_normal_clip(16) == Approx(2.55).margin(0.01));
}

TEST_CASE("clips minimise clipping plus rounding noise") {
  for (const int intervals : {2, 6, 14, 62, 254, 255, 65534}) {
    const auto rounding = [&](double a) { return a * a / (3.0 * intervals * intervals); };
    const auto laplace = [&](double a) { return 2 * std::exp(-a) + rounding(a); };
    const auto normal = [&](double a) {
      return (a * a + 1) * std::erfc(a / std::sqrt(2.0)) -
             std::sqrt(2 / std::acos(-1.0)) * a * std::exp(-a * a / 2) + rounding(a);
    };
    const auto scan = [](const std::function<double(double)>& noise) {
      double best = 0.001;
      for (double a = 0.001; a < 30; a += 0.001) {
        if (noise(a) < noise(best)) best = a;
      }
      return best;
    };
    INFO(intervals);
    // Two scan steps: the noise is flat there.
    CHECK(aciq_laplace_clip(intervals) == Approx(scan(laplace)).margin(0.002));
    CHECK(aciq_normal_clip(intervals) == Approx(scan(normal)).margin(0.002));
  }
}

TEST_CASE("the likelier density is used") {
  const auto format = NumberFormat::integer(4);  // 14 intervals
  for (const Shape shape : {Shape::normal, Shape::laplace}) {
    const auto x = sample(shape, 50000);
    const Observation observation = observe(x.data(), 50000, 1);
    const RangeStatistics& statistics = observation.statistics();
    const double expected = shape == Shape::normal
                                ? statistics.root_mean_square() * aciq_normal_clip(14)
                                : statistics.mean_absolute() * aciq_laplace_clip(14);
    CHECK(calibrate({CalibrationMethod::aciq}, observation, format).hi == Approx(expected));
  }
  // Never beyond what was seen.
  const std::vector<float> x = {1, -1, 1, -1};
  CHECK(calibrate({CalibrationMethod::aciq}, observe(x.data(), 4, 1), NumberFormat()).hi == 1);
}

// percentile: against sorted data.
#include <algorithm>
#include <cmath>

#include "samples.h"
#include "xfq/quant/calibration.h"

using namespace xfq::quant;
using xfq::test::sample;
using xfq::test::Shape;

TEST_CASE("percentiles against sorted data") {
  for (const Shape shape : {Shape::normal, Shape::student3, Shape::outliers60}) {
    for (const std::size_t size : {std::size_t{10}, std::size_t{1000}, std::size_t{100000}}) {
      const auto x = sample(shape, size);
      const Observation observation = observe(x.data(), static_cast<xfq::Index>(size), 1);
      std::vector<double> sorted;
      for (const float v : x) sorted.push_back(std::abs(static_cast<double>(v)));
      std::sort(sorted.begin(), sorted.end());
      for (const double p : {0.1, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 100.0}) {
        const double threshold =
            calibrate({CalibrationMethod::percentile, p}, observation, NumberFormat()).hi;
        // The smallest value with at least p percent at or below it lies in the same bin.
        // (The share is computed in floating point: step back before rounding up.)
        const double rank = std::ceil(p / 100 * static_cast<double>(size) - 1e-6);
        const double exact = sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
        CHECK(std::abs(threshold - exact) <= observation.bin_width() * (1 + 1e-9));
      }
      CHECK(calibrate({CalibrationMethod::percentile, 100}, observation, NumberFormat()).hi ==
            Approx(observation.range()).epsilon(1e-12));
    }
  }
}

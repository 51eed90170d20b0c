// mse: the error integral against sums, the search against a full scan, and
// population optima.
#include <algorithm>
#include <cmath>

#include "samples.h"
#include "xfq/quant/calibration.h"
#include "xfq/quant/distortion.h"
#include "xfq/stats/quantiles.h"

using namespace xfq::quant;
using xfq::test::sample;
using xfq::test::Shape;

namespace {

Range range_of(const Observation& observation, const NumberFormat& format, double threshold) {
  const auto& moments = observation.statistics().moments();
  if (format.scheme() == Scheme::symmetric) return {-threshold, threshold};
  return {std::max(moments.min(), -threshold), std::min(moments.max(), threshold)};
}

}  // namespace

TEST_CASE("the error integral against a sum over points inside the bins") {
  auto x = sample(Shape::laplace, 400);
  for (float& v : x) v = std::max(v, -0.5f);
  const Observation observation = observe(x.data(), 400, 1);
  const double width = observation.bin_width();
  std::vector<NumberFormat> formats;
  for (const int bits : {2, 3, 4, 8}) {
    formats.push_back(NumberFormat::integer(bits));
    formats.push_back(NumberFormat::integer(bits, Scheme::affine));
  }
  for (const char* name : {"fp8-e4m3", "fp8-e5m2", "nf4", "mxfp4"}) {
    formats.push_back(NumberFormat::parse(name));
  }
  for (const NumberFormat& format : formats) {
    INFO(format.name());
    for (const double share : {1.0, 0.6, 0.1}) {
      const Scale scale = format.fit(range_of(observation, format, share * observation.range()));
      const int points = 256;
      double sum = 0;
      for (int j = 0; j < Observation::kBins; ++j) {
        for (const int sign : {1, -1}) {
          const auto& counts = sign > 0 ? observation.positive() : observation.negative();
          const std::int64_t count = counts[static_cast<std::size_t>(j)];
          if (count == 0) continue;
          double inside = 0;
          for (int k = 0; k < points; ++k) {
            const double t = sign * (j + (k + 0.5) / points) * width;
            const double e =
                t - static_cast<double>(format.fake_quantize(static_cast<float>(t), scale));
            inside += e * e;
          }
          sum += static_cast<double>(count) * inside / points;
        }
      }
      const double mean = sum / static_cast<double>(observation.count());
      // Midpoint rule with h = width / points: h^2 / 12 where the square is smooth, and at
      // one cell a kink at most h * step. Both relative to the error itself, with float
      // rounding of x, 2^-23 range, against errors of the size of sqrt(mean).
      const double h = width / points;
      const double bound = h * h + h * static_cast<double>(scale.step) +
                           std::exp2(-22) * observation.range() * std::sqrt(mean);
      CHECK(std::abs(expected_squared_error(observation, format, scale) - mean) <= bound);
      CHECK(bound < 0.05 * mean);  // the comparison says something
    }
  }
}

TEST_CASE("steps much narrower than bins") {
  // Spread evenly inside its bin, a value has the error step^2 / 12.
  const auto x = sample(Shape::normal, 1000);
  const Observation observation = observe(x.data(), 1000, 1);
  const auto format = NumberFormat::integer(16);
  const Scale scale = format.fit({-observation.range(), observation.range()});
  REQUIRE(static_cast<double>(scale.step) * 10 < observation.bin_width());
  const double step = static_cast<double>(scale.step);
  // A bin is 16 steps wide and a little: the last period of each is cut.
  CHECK(expected_squared_error(observation, format, scale) ==
        Approx(step * step / 12).epsilon(0.03));
}

TEST_CASE("the search against a scan of all thresholds") {
  for (const Shape shape : {Shape::normal, Shape::laplace, Shape::student3, Shape::outliers60}) {
    const auto x = sample(shape, 20000);
    const Observation observation = observe(x.data(), 20000, 1);
    std::vector<NumberFormat> formats;
    for (const int bits : {2, 3, 4, 6, 8}) formats.push_back(NumberFormat::integer(bits));
    formats.push_back(NumberFormat::integer(4, Scheme::affine));
    for (const char* name : {"fp8-e4m3", "nf4", "mxfp4"}) {
      formats.push_back(NumberFormat::parse(name));
    }
    for (const NumberFormat& format : formats) {
      INFO(static_cast<int>(shape) << " " << format.name());
      double least = INFINITY;
      for (int k = 1; k <= 700; ++k) {
        const double threshold = observation.range() * k / 700;
        least = std::min(
            least, expected_squared_error(observation, format,
                                          format.fit(range_of(observation, format, threshold))));
      }
      const Range range = calibrate({CalibrationMethod::mse}, observation, format);
      const double found = expected_squared_error(observation, format, format.fit(range));
      // Noise has ripples, where one more outlier comes inside. The grid may settle in a
      // neighbouring dip of nearly the same depth.
      CHECK(found <= least * 1.0005);
    }
  }
}

TEST_CASE("optimal clips of known densities") {
  // Clip in sigma and SQNR in dB at the optimum, by numerical integration of the densities
  // (NumPy, 400000 points inside, closed form beyond the clip).
  struct Row {
    Shape shape;
    int bits;
    double clip;
    double db;
  };
  const Row rows[] = {
      {Shape::normal, 2, 1.22, 7.2084},   {Shape::normal, 3, 1.95, 13.2919},
      {Shape::normal, 4, 2.47, 18.8976},  {Shape::normal, 6, 3.27, 29.7090},
      {Shape::normal, 8, 3.92, 40.5400},  {Shape::laplace, 2, 1.42, 5.7799},
      {Shape::laplace, 3, 2.46, 10.8046}, {Shape::laplace, 4, 3.40, 15.6231},
      {Shape::laplace, 6, 5.20, 25.2585}, {Shape::laplace, 8, 6.98, 35.1812},
  };
  // In place of random values the quantiles at (i + 1/2) / n: no sampling error, and of the
  // tail beyond a clip only the sum over its last points instead of the integral. The largest
  // clip has a share of 4e-5 beyond it, 16 points of one sign: that sum is good to about 1/16,
  // and clipping makes up at most a quarter of the noise. 1.6 % of the noise are 0.07 dB.
  const int half = 400000;
  for (const Shape shape : {Shape::normal, Shape::laplace}) {
    std::vector<float> x;
    for (int i = 0; i < half; ++i) {
      const double tail = (i + 0.5) / (2.0 * half);
      const double value = shape == Shape::normal ? xfq::stats::normal_quantile(tail)
                                                  : std::log(2 * tail) / std::sqrt(2.0);
      x.push_back(static_cast<float>(value));
      x.push_back(static_cast<float>(-value));
    }
    const auto size = static_cast<xfq::Index>(x.size());
    const Observation observation = observe(x.data(), size, 1);
    for (const Row& row : rows) {
      if (row.shape != shape) continue;
      INFO(static_cast<int>(row.shape) << " " << row.bits << " bits");
      const auto format = NumberFormat::integer(row.bits);
      const Range range = calibrate({CalibrationMethod::mse}, observation, format);
      Distortion distortion(format);
      distortion.add(x.data(), size, format.fit(range));
      CHECK(*distortion.sqnr_db() == Approx(row.db).margin(0.07));
      // The noise is flat at its minimum: its error of 1.6 % allows the clip some of the root,
      // 12 %, at 8 bits; the grid of the expected clips is 0.02.
      CHECK(range.hi == Approx(row.clip).epsilon(0.03));
    }
  }
}

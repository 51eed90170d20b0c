// Calibration: words, signs, and data without values to search.
#include "xfq/quant/calibration.h"

#include <algorithm>
#include <cmath>

#include "samples.h"

using namespace xfq::quant;
using xfq::ErrorKind;
using xfq::test::error_of;
using xfq::test::sample;
using xfq::test::Shape;

namespace {

const char* const kAll[] = {"minmax", "percentile:99.9", "mse", "kl", "aciq"};

}  // namespace

TEST_CASE("words of calibrations") {
  for (const char* word : kAll) CHECK(to_string(parse_calibration(word)) == word);
  CHECK(parse_calibration("percentile").percentile == 99.99);
  CHECK(parse_calibration("percentile:100").percentile == 100);
  CHECK(parse_calibration("percentile:9.95e1").percentile == 99.5);
  for (const char* word : {"percentile:", "percentile:0", "percentile:101", "percentile:nan",
                           "percentile:99.9x", "percentile:-1", "entropy", "mse:3", ""}) {
    INFO(word);
    CHECK(error_of([&] { parse_calibration(word); }, ErrorKind::usage).find("--calibration") == 0);
  }
  CHECK(error_of([] { parse_calibration("percentil:99"); }, ErrorKind::usage)
            .find("did you mean percentile?") != std::string::npos);
}

TEST_CASE("symmetric ranges are symmetric, affine ones lie inside the data") {
  // Signs as after a GELU: nothing below -0.17.
  auto x = sample(Shape::laplace, 20000);
  for (float& v : x) v = std::max(v, -0.17f);
  const Observation observation = observe(x.data(), 20000, 1);
  const double most = observation.range();
  for (const char* word : kAll) {
    INFO(word);
    const Calibration calibration = parse_calibration(word);
    const Range symmetric = calibrate(calibration, observation, NumberFormat::integer(8));
    CHECK(symmetric.lo == -symmetric.hi);
    CHECK(symmetric.hi > 0);
    CHECK(symmetric.hi <= most);
    const Range affine =
        calibrate(calibration, observation, NumberFormat::integer(8, Scheme::affine));
    CHECK(affine.lo == static_cast<double>(-0.17f));  // every threshold is larger here
    CHECK(affine.hi <= most);
    CHECK(affine.hi > 1);
  }
  const Range all =
      calibrate(parse_calibration("minmax"), observation, NumberFormat::integer(8, Scheme::affine));
  CHECK(all.hi == most);
}

TEST_CASE("affine ranges include zero") {
  const std::vector<float> x = {2, 3, 4, 5};
  for (const char* word : kAll) {
    const Range range = calibrate(parse_calibration(word), observe(x.data(), 4, 1),
                                  NumberFormat::integer(4, Scheme::affine));
    CHECK(range.lo == 0);
    CHECK(range.hi > 2);
  }
}

TEST_CASE("zeros, constants, no data") {
  const std::vector<float> zeros(100, 0.0f);
  const std::vector<float> constant(100, 1.5f);
  for (const char* word : kAll) {
    INFO(word);
    for (const char* name : {"int", "fp8-e4m3", "nf4", "mxfp4"}) {
      const NumberFormat format = NumberFormat::parse(name);
      const Range none = calibrate(parse_calibration(word), observe(zeros.data(), 100, 1), format);
      CHECK(none.lo == 0);
      CHECK(none.hi == 0);
      CHECK(format.fake_quantize(0.0f, format.fit(none)) == 0.0f);
      const Range one =
          calibrate(parse_calibration(word), observe(constant.data(), 100, 1), format);
      CHECK(one.hi > 0);
      CHECK(std::isfinite(one.hi));
    }
    RangeStatistics statistics;
    statistics.add(constant.data(), 100, 1);
    CHECK_THROWS_AS(calibrate(parse_calibration(word), Observation(statistics), NumberFormat()),
                    xfq::Error);
  }
}

// What a histogram predicts against what rounding does.
#include "xfq/quant/histogram_distortion.h"

#include <cmath>

#include "samples.h"
#include "xfq/quant/calibration.h"
#include "xfq/quant/distortion.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::test::sample;
using xfq::test::Shape;

TEST_CASE("predictions are what happens") {
  const Index size = 100000;
  for (const Shape shape : {Shape::normal, Shape::laplace, Shape::student4}) {
    const auto x = sample(shape, static_cast<std::size_t>(size));
    const Observation observation = observe(x.data(), size, 1);
    for (const char* name : {"int2", "int4", "int8", "int8-affine", "int12", "fp8-e4m3", "nf4"}) {
      const std::string text = name;
      const NumberFormat format =
          text.compare(0, 3, "int") != 0
              ? NumberFormat::parse(text)
              : NumberFormat::integer(
                    std::stoi(text.substr(3)),
                    text.find("affine") != std::string::npos ? Scheme::affine : Scheme::symmetric);
      for (const char* method : {"minmax", "mse", "percentile:99"}) {
        INFO(static_cast<int>(shape) << " " << name << " " << method);
        const Scale scale = format.fit(calibrate(parse_calibration(method), observation, format));
        const HistogramDistortion predicted = histogram_distortion(observation, format, scale);
        Distortion measured(format);
        measured.add(x.data(), size, scale);
        CHECK(*predicted.sqnr_db == Approx(*measured.sqnr_db()).margin(0.1));
        CHECK(predicted.clip_share == Approx(*measured.clip_share()).margin(2e-4));
        // The entropy of counts is too low by up to (codes - 1) / (2 N) nats (Miller 1955), which
        // the prediction shares only where steps are wider than bins.
        const double bias = format.intervals() / (2.0 * size) / std::log(2.0);
        CHECK(predicted.code_entropy_bits ==
              Approx(*measured.code_entropy_bits()).margin(0.005 + bias));
        CHECK(predicted.histogram_kl >= 0);
      }
    }
  }
}

TEST_CASE("divergence of histograms: closed form for two levels") {
  // Uniform on [-1, 1) with 4096 bins of 100 values: what 4 bits show is uniform again.
  std::vector<float> x;
  for (int bin = 0; bin < 4096; ++bin) {
    for (int i = 0; i < 100; ++i) {
      x.push_back((static_cast<float>(bin) + 0.5f) / 2048.0f - 1.0f);
    }
  }
  x.push_back(1.0f);
  x.push_back(-1.0f);
  const auto size = static_cast<Index>(x.size());
  const Observation observation = observe(x.data(), size, 1);
  const auto format = NumberFormat::integer(4, Scheme::affine);
  const HistogramDistortion even = histogram_distortion(observation, format, format.fit({-1, 1}));
  CHECK(even.histogram_kl < 0.05);
  // A clip at half of the range: Q puts all clipped mass, half of everything, into the last
  // intervals, and nothing beyond.
  const HistogramDistortion clipped =
      histogram_distortion(observation, format, format.fit({-0.5, 0.5}));
  CHECK(clipped.clip_share == Approx(0.5).margin(0.04));  // but for the half steps at the ends
  CHECK(clipped.histogram_kl > 1);
}

TEST_CASE("finer codes diverge less; nothing to say about zeros") {
  const auto x = sample(Shape::laplace, 200000);
  const Observation observation = observe(x.data(), 200000, 1);
  double last = 1e9;
  for (const int bits : {2, 3, 4, 6, 8, 12}) {
    const auto format = NumberFormat::integer(bits);
    const double kl =
        histogram_distortion(observation, format, format.fit(calibrate({}, observation, format)))
            .histogram_kl;
    CHECK(kl < last);
    last = kl;
  }
  CHECK(last < 1e-2);
  const std::vector<float> zeros(10, 0.0f);
  const HistogramDistortion none =
      histogram_distortion(observe(zeros.data(), 10, 1), NumberFormat::integer(8), {});
  CHECK(!none.sqnr_db);
  CHECK(none.code_entropy_bits == 0);
}

TEST_CASE("a histogram to draw") {
  const std::vector<float> x = {-4.0f, -3.9f, -1.0f, 0.0f, 0.1f, 0.2f, 3.0f, 4.0f};
  const auto drawn = drawn_histogram(observe(x.data(), 8, 1), 4);
  REQUIRE(drawn.size() == 4);
  CHECK(drawn[0].lo == -4);
  CHECK(drawn[1].hi == 0);
  CHECK(drawn[3].hi == 4);
  // [-4, -2): 2 of 8; [-2, 0): 1; [0, 2): 3; [2, 4]: 2
  CHECK(drawn[0].share == 0.25);
  CHECK(drawn[1].share == 0.125);
  CHECK(drawn[2].share == 0.375);
  CHECK(drawn[3].share == 0.25);
}

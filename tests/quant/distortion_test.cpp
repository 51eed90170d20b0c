// Distortion: closed forms, merging, and what each figure misses.
#include "xfq/quant/distortion.h"

#include <cmath>

#include "samples.h"

using namespace xfq::quant;
using xfq::test::sample;
using xfq::test::Shape;

TEST_CASE("counts and sums") {
  const auto format = NumberFormat::integer(2);  // -1, 0, 1
  Distortion distortion(format);
  CHECK(!distortion.sqnr_db());
  CHECK(!distortion.clip_share());
  CHECK(!distortion.code_entropy_bits());
  const std::vector<float> x = {0.0f, 0.25f, 1.0f, -3.0f};
  distortion.add(x.data(), 4, format.fit({-1, 1}));
  CHECK(distortion.count() == 4);
  CHECK(distortion.signal() == 0.0625 + 1 + 9);
  CHECK(distortion.noise() == 0.0625 + 4);
  CHECK(*distortion.sqnr_db() == Approx(10 * std::log10(10.0625 / 4.0625)).epsilon(1e-14));
  CHECK(*distortion.clip_share() == 0.25);
  CHECK(*distortion.code_entropy_bits() == Approx(1.5).epsilon(1e-14));  // 1/2, 1/4, 1/4
}

TEST_CASE("no error and no signal have no ratio") {
  const auto format = NumberFormat::integer(8);
  Distortion exact(format);
  const std::vector<float> x = {1, 2, 3};
  exact.add(x.data(), 3, format.fit({-127, 127}));
  CHECK(!exact.sqnr_db());
  Distortion silent(format);
  const std::vector<float> zeros = {0, 0};
  silent.add(zeros.data(), 2, Scale());
  CHECK(!silent.sqnr_db());
  CHECK(*silent.code_entropy_bits() == 0);
}

TEST_CASE("merged distortions equal the whole") {
  for (const char* name : {"int", "fp8-e5m2", "nf4"}) {
    const auto format = NumberFormat::parse(name);
    const Scale scale = format.fit({-3, 3});
    const auto x = sample(Shape::student3, 5000);
    Distortion whole(format);
    whole.add(x.data(), 5000, scale);
    Distortion left(format);
    Distortion right(format);
    left.add(x.data(), 1234, scale);
    right.add(x.data() + 1234, 5000 - 1234, scale);
    left.merge(right);
    CHECK(left.count() == whole.count());
    CHECK(left.noise() == Approx(whole.noise()).epsilon(1e-13));
    CHECK(left.signal() == Approx(whole.signal()).epsilon(1e-13));
    CHECK(*left.clip_share() == *whole.clip_share());
    CHECK(*left.code_entropy_bits() == *whole.code_entropy_bits());
  }
}

TEST_CASE("what each figure misses") {
  // Uniform data over the range: 20 log10(2n + 1) dB and full codes, up to the sample.
  const auto format = NumberFormat::integer(6);
  std::vector<float> x;
  for (int i = 0; i < 63000; ++i) x.push_back(static_cast<float>((i + 0.5) / 1000 - 31.5));
  Distortion uniform(format);
  uniform.add(x.data(), 63000, format.fit({-31, 31}));
  // signal 63^2 / 12 over noise 1 / 12; the grid of 1000 points a step is off by 1e-6.
  CHECK(*uniform.sqnr_db() == Approx(20 * std::log10(63.0)).epsilon(1e-5));
  CHECK(*uniform.code_entropy_bits() == Approx(std::log2(63.0)).epsilon(1e-6));
  CHECK(*uniform.clip_share() == 0);
  // One outlier sets the range: SQNR is good, since the signal is the outlier's, while nearly all
  // values share a code. Only the entropy shows it.
  std::vector<float> y(10000, 0.01f);
  y[0] = 1000;
  Distortion outlier(format);
  outlier.add(y.data(), 10000, format.fit({-1000, 1000}));
  CHECK(*outlier.sqnr_db() > 55);
  CHECK(*outlier.code_entropy_bits() < 0.01);
}

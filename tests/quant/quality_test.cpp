// Comparison of logits: against plain softmax, closed forms, tiny differences.
#include "xfq/quant/quality.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "samples.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::test::sample;
using xfq::test::Shape;

namespace {

std::vector<long double> softmax(const float* x, std::size_t n) {
  std::vector<long double> p(n);
  long double sum = 0;
  for (std::size_t j = 0; j < n; ++j) sum += p[j] = std::exp(static_cast<long double>(x[j]));
  for (long double& v : p) v /= sum;
  return p;
}

}  // namespace

TEST_CASE("against plain softmax in long double") {
  const Index rows = 200;
  const Index vocab = 23;
  const auto a = sample(Shape::student3, 200 * 23, 0);
  auto b = sample(Shape::normal, 200 * 23, 1);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = a[i] + 0.3f * b[i];
  std::vector<std::int32_t> targets;
  for (Index r = 0; r < rows; ++r)
    targets.push_back(r % 5 == 4 ? -1 : static_cast<std::int32_t>(r % vocab));
  LogitComparison comparison;
  comparison.add(rows, vocab, a.data(), b.data(), targets.data());
  REQUIRE(comparison.tokens() == 160);

  std::vector<double> kl;
  long double nll_a = 0, nll_b = 0, squares = 0, change = 0;
  int same = 0;
  for (Index r = 0; r < rows; ++r) {
    if (targets[static_cast<std::size_t>(r)] < 0) continue;
    const float* x = a.data() + r * vocab;
    const float* y = b.data() + r * vocab;
    const auto p = softmax(x, 23);
    const auto q = softmax(y, 23);
    long double sum = 0;
    for (std::size_t j = 0; j < 23; ++j) sum += p[j] * std::log(p[j] / q[j]);
    kl.push_back(static_cast<double>(sum));
    const auto t = static_cast<std::size_t>(targets[static_cast<std::size_t>(r)]);
    nll_a -= std::log(p[t]);
    nll_b -= std::log(q[t]);
    squares += (q[t] - p[t]) * (q[t] - p[t]);
    change += q[t] - p[t];
    same += std::max_element(x, x + vocab) - x == std::max_element(y, y + vocab) - y ? 1 : 0;
  }
  // Double against long double: a few hundred roundings of values up to 30.
  for (std::size_t i = 0; i < kl.size(); ++i)
    CHECK(comparison.kl()[i] == Approx(kl[i]).margin(1e-13));
  CHECK(comparison.original_nll() == Approx(static_cast<double>(nll_a / 160)).epsilon(1e-13));
  CHECK(comparison.quantized_nll() == Approx(static_cast<double>(nll_b / 160)).epsilon(1e-13));
  CHECK(comparison.delta_nll() == Approx(static_cast<double>((nll_b - nll_a) / 160)).margin(1e-13));
  CHECK(comparison.same_top_share() == same / 160.0);
  CHECK(same < 160);
  CHECK(comparison.rms_delta_p() ==
        Approx(static_cast<double>(std::sqrt(squares / 160))).epsilon(1e-12));
  CHECK(comparison.mean_delta_p() == Approx(static_cast<double>(change / 160)).margin(1e-14));
  std::sort(kl.begin(), kl.end());
  CHECK(comparison.max_kl() == Approx(kl.back()).epsilon(1e-12));
  CHECK(comparison.median_kl() == Approx((kl[79] + kl[80]) / 2).epsilon(1e-12));
  // (160 - 1) * 0.999 = 158.841.
  CHECK(comparison.kl_quantile(0.999) ==
        Approx(kl[158] + 0.841 * (kl[159] - kl[158])).epsilon(1e-12));
}

TEST_CASE("equal logits, shifts, and large offsets") {
  const auto a = sample(Shape::normal, 50);
  std::vector<float> shifted;
  std::vector<float> far;
  for (const float v : a) {
    const float rounded = std::round(v * 1024) / 1024;
    shifted.push_back(rounded);
    far.push_back(rounded + 4096);  // exact: 2^-10 is the spacing of floats there
  }
  const std::int32_t target = 3;
  LogitComparison comparison;
  comparison.add(1, 50, a.data(), a.data(), &target);
  CHECK(comparison.max_kl() == 0);
  CHECK(comparison.delta_nll() == 0);
  CHECK(comparison.same_top_share() == 1);
  LogitComparison offset;
  offset.add(1, 50, shifted.data(), far.data(), &target);
  CHECK(offset.max_kl() <= 1e-15);
  CHECK(std::abs(offset.delta_nll()) <= 1e-15);
}

TEST_CASE("tiny differences are resolved") {
  // Two classes at logits 0 and delta: KL = delta^2 / 8 + O(delta^4).
  const float delta = 1e-4f;
  const float a[] = {0, 0};
  const float b[] = {0, delta};
  const std::int32_t target = 1;
  LogitComparison comparison;
  comparison.add(1, 2, a, b, &target);
  const double d = static_cast<double>(delta);
  CHECK(comparison.mean_kl() == Approx(d * d / 8).epsilon(1e-5));
  // Ties go to the lowest id: 0 against 1.
  CHECK(comparison.same_top_share() == 0);
}

TEST_CASE("vocabularies of every length, and logits far apart") {
  // Blocks and lanes: each length against plain sums; logits of -2000 underflow on both sides.
  for (Index vocab = 1; vocab <= 140; ++vocab) {
    auto a = sample(Shape::student3, static_cast<std::size_t>(vocab), 4);
    const auto b = sample(Shape::student3, static_cast<std::size_t>(vocab), 5);
    if (vocab > 3) a[2] = -2000;
    const std::int32_t target = static_cast<std::int32_t>(vocab - 1);
    LogitComparison comparison;
    comparison.add(1, vocab, a.data(), b.data(), &target);
    const auto n = static_cast<std::size_t>(vocab);
    const auto p = softmax(a.data(), n);
    const auto q = softmax(b.data(), n);
    long double kl = 0;
    for (std::size_t j = 0; j < n; ++j) {
      if (p[j] > 0) kl += p[j] * std::log(p[j] / q[j]);
    }
    CHECK(comparison.mean_kl() == Approx(static_cast<double>(kl)).margin(1e-13));
    CHECK(comparison.original_nll() ==
          Approx(static_cast<double>(-std::log(p.back()))).margin(1e-13));
    CHECK(comparison.same_top_share() == (std::max_element(a.begin(), a.end()) - a.begin() ==
                                                  std::max_element(b.begin(), b.end()) - b.begin()
                                              ? 1
                                              : 0));
  }
}

TEST_CASE("parts append") {
  const auto a = sample(Shape::normal, 60, 2);
  const auto b = sample(Shape::normal, 60, 3);
  const std::vector<std::int32_t> targets = {1, -1, 2, 0, 5, 4};
  LogitComparison whole;
  whole.add(6, 10, a.data(), b.data(), targets.data());
  LogitComparison left;
  LogitComparison right;
  left.add(2, 10, a.data(), b.data(), targets.data());
  right.add(4, 10, a.data() + 20, b.data() + 20, targets.data() + 2);
  left.merge(right);
  CHECK(left.kl() == whole.kl());
  CHECK(left.original_losses() == whole.original_losses());
  CHECK(left.quantized_losses() == whole.quantized_losses());
  CHECK(left.delta_p() == whole.delta_p());
  CHECK(left.same_top_share() == whole.same_top_share());
}

TEST_CASE("no tokens and bad logits are errors") {
  const LogitComparison empty;
  CHECK_THROWS_AS(empty.mean_kl(), xfq::Error);
  CHECK_THROWS_AS(empty.max_kl(), xfq::Error);
  CHECK_THROWS_AS(empty.delta_nll(), xfq::Error);
  CHECK_THROWS_AS(empty.same_top_share(), xfq::Error);
  CHECK_THROWS_AS(empty.rms_delta_p(), xfq::Error);
  const float good[] = {0, 1};
  const float bad[] = {0, NAN};
  const std::int32_t target = 0;
  const float infinite[] = {0, -std::numeric_limits<float>::infinity()};
  LogitComparison comparison;
  for (const float* other : {bad, infinite}) {
    CHECK_THROWS_AS(comparison.add(1, 2, good, other, &target), xfq::Error);
    CHECK_THROWS_AS(comparison.add(1, 2, other, good, &target), xfq::Error);
  }
  CHECK(comparison.tokens() == 0);
}

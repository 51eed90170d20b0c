// Rank agreement: the three arrangements, intervals, reliability, overlap.
#include "xfq/importance/agreement.h"

#include <cmath>

#include "catch.h"
#include "xfq/core/random.h"
#include "xfq/stats/correlation.h"

using namespace xfq::importance;

namespace {

Units two_layers(xfq::Index per_layer) {
  Units units;
  units.layers = 2;
  units.per_layer = per_layer;
  return units;
}

std::vector<double> noise(std::size_t count, std::uint64_t seed) {
  xfq::Stream stream(seed, "test.agreement");
  std::vector<double> values(count);
  for (double& value : values) value = std::round(4 * stream.normal());  // with ties
  return values;
}

}  // namespace

TEST_CASE("a layer with large scores spoils the raw ranking, its norm mends it") {
  // Perfect inside both layers; the second has scores 100 times as large for the same truth.
  const Units units = two_layers(3);
  const std::vector<double> scores = {1, 2, 3, 100, 200, 300};
  const std::vector<double> truth = {1, 2, 3, 1, 2, 3};
  CHECK(*spearman(units, scores, truth, Arrangement::within) == Approx(1));
  CHECK(*spearman(units, scores, truth, Arrangement::normalised) == Approx(1));
  // Ranks 1..6 against (1.5, 3.5, 5.5) twice: covariance 8 / sqrt(17.5 * 16).
  CHECK(*spearman(units, scores, truth, Arrangement::raw) == Approx(8 / std::sqrt(280.0)));
  CHECK(*kendall(units, scores, truth, Arrangement::within) == Approx(1));
  const std::vector<double> normalised = normalise_layers(units, scores);
  CHECK(normalised[0] == Approx(1 / std::sqrt(14.0)));
  CHECK(normalised[5] == Approx(3 / std::sqrt(14.0)));
  CHECK(normalise_layers(units, {0, 0, 0, 3, 4, 0}) ==
        std::vector<double>{0, 0, 0, 3.0 / 5, 4.0 / 5, 0});
}

TEST_CASE("layers on which a correlation is not defined do not count") {
  const Units units = two_layers(3);
  CHECK(*spearman(units, {5, 5, 5, 1, 2, 3}, {1, 2, 3, 3, 2, 1}, Arrangement::within) ==
        Approx(-1));
  CHECK_FALSE(spearman(units, {5, 5, 5, 1, 1, 1}, {1, 2, 3, 3, 2, 1}, Arrangement::within));
}

TEST_CASE("the bootstrap over ranks found once is the plain bootstrap") {
  // Same streams, so equal to stats' own, which ranks every resample anew.
  const Units units = two_layers(20);
  const std::vector<double> x = noise(40, 1), y = noise(40, 2);
  std::vector<double> z = x;
  for (std::size_t i = 0; i < z.size(); ++i) z[i] += y[i];
  xfq::stats::Bootstrap options;
  options.resamples = 100;
  options.seed = 3;
  options.method = xfq::stats::BootstrapMethod::percentile;
  const auto plain = xfq::stats::spearman_bootstrap(x, z, options);
  const auto fast = spearman_bootstrap(units, x, z, Arrangement::raw, 100, 3);
  CHECK(*fast.value == Approx(*plain.value).epsilon(1e-12));
  CHECK(fast.ci->lo == Approx(plain.ci->lo).epsilon(1e-12));
  CHECK(fast.ci->hi == Approx(plain.ci->hi).epsilon(1e-12));
  const auto tau = xfq::stats::kendall_bootstrap(x, z, options);
  const auto own = kendall_bootstrap(units, x, z, Arrangement::raw, 100, 3);
  CHECK(*own.value == Approx(*tau.value).epsilon(1e-12));
  CHECK(own.ci->lo == Approx(tau.ci->lo).epsilon(1e-12));
  CHECK(own.ci->hi == Approx(tau.ci->hi).epsilon(1e-12));
  // Within layers: the value is the plain mean, and lies inside its interval.
  const auto within = spearman_bootstrap(units, x, z, Arrangement::within, 100, 3);
  CHECK(*within.value == Approx(*spearman(units, x, z, Arrangement::within)).epsilon(1e-12));
  CHECK(within.ci->lo < *within.value);
  CHECK(within.ci->hi > *within.value);
  CHECK(*kendall_bootstrap(units, x, z, Arrangement::within, 100, 3).value ==
        Approx(*kendall(units, x, z, Arrangement::within)).epsilon(1e-12));
}

TEST_CASE("split-half reliability steps the correlation up to the whole") {
  const Units units = two_layers(4);
  // Spearman 0.8 in both layers (one swap of neighbours in four: 1 - 6 * 2 / 60), 2 * .8 / 1.8.
  const std::vector<double> a = {1, 2, 3, 4, 1, 2, 3, 4}, b = {1, 3, 2, 4, 1, 3, 2, 4};
  CHECK(*split_half(units, a, b) == Approx(1.6 / 1.8));
  CHECK(*split_half(units, a, a) == Approx(1));
  // No stepping up of what is not there.
  CHECK(*split_half(units, a, {4, 3, 2, 1, 4, 3, 2, 1}) == Approx(-1));
  CHECK_FALSE(split_half(units, a, std::vector<double>(8, 0.0)));
}

TEST_CASE("overlap of the largest") {
  CHECK(top_overlap({4, 3, 2, 1}, {4, 3, 2, 1}, 2) == 1);
  CHECK(top_overlap({4, 3, 2, 1}, {1, 2, 3, 4}, 2) == 0);
  CHECK(top_overlap({4, 3, 2, 1}, {4, 1, 2, 3}, 2) == 0.5);
  CHECK(ascending({2, 1, 2, 0}) == std::vector<std::size_t>{3, 1, 0, 2});
}

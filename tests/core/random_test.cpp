// Streams: construction from Philox, independence of order, and distributions with
// bounds of five standard deviations of the figure tested (the seeds are fixed, so
// these are not gambled with on every run).
#include "xfq/core/random.h"

#include <Random123/philox.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "catch.h"

using namespace xfq;

TEST_CASE("Philox4x32-10 is the published one") {
  // Salmon et al.'s known answers (kat_vectors of Random123).
  using Philox = r123::Philox4x32;
  CHECK(Philox{}(Philox::ctr_type{{0, 0, 0, 0}}, Philox::key_type{{0, 0}}) ==
        Philox::ctr_type{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
  CHECK(Philox{}(Philox::ctr_type{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
                 Philox::key_type{{0xa4093822, 0x299f31d0}}) ==
        Philox::ctr_type{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST_CASE("a stream is Philox keyed by (seed, purpose), counting (block, index)") {
  const std::string purpose = "batch";
  const std::uint64_t seed = 0x0123456789abcdefULL;
  const std::uint64_t index = 0xfedcba9876543210ULL;
  const std::uint64_t key = XXH3_64bits_withSeed(purpose.data(), purpose.size(), seed);
  Stream stream(seed, purpose, index);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const auto expected =
        r123::Philox4x32{}(r123::Philox4x32::ctr_type{{block, 0, 0x76543210U, 0xfedcba98U}},
                           r123::Philox4x32::key_type{{static_cast<std::uint32_t>(key),
                                                       static_cast<std::uint32_t>(key >> 32)}});
    for (std::size_t word = 0; word < 4; ++word) CHECK(stream.next_u32() == expected[word]);
  }
}

TEST_CASE("draws are built from words in a fixed way") {
  Stream words(1, "x");
  Stream longs(1, "x");
  Stream uniforms(1, "x");
  Stream normals(1, "x");
  for (int pair = 0; pair < 4; ++pair) {
    double u[2];
    for (double& value : u) {
      const std::uint64_t lo = words.next_u32();
      const std::uint64_t hi = words.next_u32();
      const std::uint64_t whole = hi << 32 | lo;
      CHECK(longs.next_u64() == whole);
      value = std::ldexp(static_cast<double>(whole >> 11), -53);
      CHECK(uniforms.uniform() == value);
    }
    // Box-Muller, cosine first.
    const double radius = std::sqrt(-2 * std::log(1 - u[0]));
    const double angle = 2 * 3.14159265358979323846 * u[1];
    CHECK(normals.normal() == Approx(radius * std::cos(angle)).margin(1e-14));
    CHECK(normals.normal() == Approx(radius * std::sin(angle)).margin(1e-14));
  }
}

TEST_CASE("equal names give equal draws, and any part of the name matters") {
  const auto draw = [](std::uint64_t seed, const char* purpose, std::uint64_t index) {
    return Stream(seed, purpose, index).next_u64();
  };
  CHECK(draw(7, "batch", 3) == draw(7, "batch", 3));
  const std::set<std::uint64_t> draws = {draw(7, "batch", 3),
                                         draw(8, "batch", 3),
                                         draw(7, "batch", 4),
                                         draw(7, "init", 3),
                                         draw(7, "", 3),
                                         draw(7, "batc", 3),
                                         draw(7, "batch", 3ULL << 32U),
                                         draw(7ULL << 32U, "batch", 3)};
  CHECK(draws.size() == 8);
}

TEST_CASE("the order in which streams are used does not matter") {
  Stream alone(5, "a");
  Stream left(5, "a");
  Stream right(5, "b");
  std::vector<int> items = {1, 2, 3};
  right.shuffle(items);
  for (int i = 0; i < 100; ++i) {
    right.normal();
    CHECK(left.next_u64() == alone.next_u64());
    if (i % 3 == 0) right.below(7);
  }
}

TEST_CASE("uniform draws") {
  const int n = 200000;
  Stream stream(1, "uniform");
  Stream neighbour(1, "uniform", 1);
  double sum = 0;
  double squares = 0;
  double serial = 0;
  double across = 0;
  double last = 0.5;
  std::vector<int> bins(100, 0);
  bool in_range = true;
  for (int i = 0; i < n; ++i) {
    const double u = stream.uniform();
    in_range = in_range && u >= 0 && u < 1;
    ++bins[static_cast<std::size_t>(u * 100)];
    sum += u;
    squares += (u - 0.5) * (u - 0.5);
    serial += (u - 0.5) * (last - 0.5);
    across += (u - 0.5) * (neighbour.uniform() - 0.5);
    last = u;
  }
  CHECK(in_range);
  // Mean 1/2 with variance 1/12; (u - 1/2)^2 has mean 1/12 and variance 1/180; a
  // product of two independent (u - 1/2) has mean 0 and standard deviation 1/12.
  CHECK(std::abs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(squares / n - 1.0 / 12) < 5 * std::sqrt(1.0 / 180 / n));
  CHECK(std::abs(serial / n) < 5 / 12.0 / std::sqrt(n));
  CHECK(std::abs(across / n) < 5 / 12.0 / std::sqrt(n));
  double chi2 = 0;
  for (const int count : bins) chi2 += (count - n / 100.0) * (count - n / 100.0) / (n / 100.0);
  // 99 degrees of freedom: mean 99, standard deviation sqrt(198). Too even is wrong as well.
  CHECK(std::abs(chi2 - 99) < 5 * std::sqrt(198.0));
}

TEST_CASE("normal draws") {
  const int n = 200000;
  Stream stream(1, "normal");
  double power[5] = {0, 0, 0, 0, 0};
  double serial = 0;
  double last = 0;
  int within_one = 0;
  int beyond_three = 0;
  for (int i = 0; i < n; ++i) {
    const double z = stream.normal();
    double p = 1;
    for (double& sum : power) {
      sum += p / n;
      p *= z;
    }
    serial += z * last / n;
    last = z;
    within_one += std::abs(z) < 1;
    beyond_three += std::abs(z) > 3;
  }
  // Moments 0, 1, 0, 3 of z, z^2, z^3, z^4; their variances 1, 2, 15, 96.
  CHECK(std::abs(power[1]) < 5 * std::sqrt(1.0 / n));
  CHECK(std::abs(power[2] - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(power[3]) < 5 * std::sqrt(15.0 / n));
  CHECK(std::abs(power[4] - 3) < 5 * std::sqrt(96.0 / n));
  CHECK(std::abs(serial) < 5 * std::sqrt(1.0 / n));
  // P(|z| < 1) = 0.682689, P(|z| > 3) = 0.0026998 from tables of the error function.
  CHECK(std::abs(within_one / double(n) - 0.682689) < 5 * std::sqrt(0.6827 * 0.3173 / n));
  CHECK(std::abs(beyond_three / double(n) - 0.0026998) < 5 * std::sqrt(0.0027 / n));
}

TEST_CASE("integers below a bound have no modulo bias") {
  Stream stream(1, "below");
  for (int i = 0; i < 100; ++i) CHECK(stream.below(1) == 0);

  const int n = 60000;
  std::vector<int> counts(6, 0);
  for (int i = 0; i < n; ++i) ++counts[stream.below(6)];
  for (const int count : counts) CHECK(std::abs(count - n / 6.0) < 5 * std::sqrt(n * 5 / 36.0));

  // For 3 * 2^62 plain modulo would put half of all draws into the first third.
  const std::uint64_t third = 1ULL << 62U;
  int low = 0;
  bool in_range = true;
  for (int i = 0; i < n; ++i) {
    const std::uint64_t draw = stream.below(3 * third);
    in_range = in_range && draw < 3 * third;
    low += draw < third;
  }
  CHECK(in_range);
  CHECK(std::abs(low - n / 3.0) < 5 * std::sqrt(n * 2 / 9.0));
}

TEST_CASE("truth values and shuffles") {
  Stream stream(1, "shuffle");
  const int n = 60000;
  int yes = 0;
  for (int i = 0; i < n; ++i) yes += stream.bernoulli(0.3);
  CHECK(std::abs(yes - 0.3 * n) < 5 * std::sqrt(0.21 * n));
  CHECK_FALSE(stream.bernoulli(0));
  CHECK(stream.bernoulli(1));

  std::vector<int> many(1000);
  for (int i = 0; i < 1000; ++i) many[static_cast<std::size_t>(i)] = i;
  std::vector<int> shuffled = many;
  stream.shuffle(shuffled);
  CHECK(shuffled != many);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == many);

  // All six orders of three items are equally likely.
  std::vector<int> orders(27, 0);
  for (int i = 0; i < n; ++i) {
    std::vector<int> items = {0, 1, 2};
    stream.shuffle(items);
    ++orders[static_cast<std::size_t>(9 * items[0] + 3 * items[1] + items[2])];
  }
  int seen = 0;
  for (const int count : orders) {
    if (count == 0) continue;
    ++seen;
    CHECK(std::abs(count - n / 6.0) < 5 * std::sqrt(n * 5 / 36.0));
  }
  CHECK(seen == 6);
  std::vector<int> none;
  stream.shuffle(none);
  CHECK(none.empty());
}

// Theory against published tables and closed forms.
#include "xfq/quant/theory.h"

#include <cmath>
#include <vector>

#include "samples.h"
#include "xfq/stats/quantiles.h"

using namespace xfq::quant;
using xfq::test::sample;
using xfq::test::Shape;

namespace {

// Lloyd's iteration on a fine grid of the density: 2^bits values, centroids by summing.
double lloyd_on_a_grid(const std::vector<double>& x, const std::vector<double>& p, int bits) {
  std::vector<double> levels(std::size_t{1} << (bits - 1));
  for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = 0.4 * (static_cast<double>(i) + 0.5);
  double error = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> mass(levels.size(), 0.0), moment(levels.size(), 0.0);
    std::size_t k = 0;
    error = 0;
    double all = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      while (k + 1 < levels.size() && x[i] > 0.5 * (levels[k] + levels[k + 1])) ++k;
      mass[k] += p[i];
      moment[k] += p[i] * x[i];
      error += p[i] * (x[i] - levels[k]) * (x[i] - levels[k]);
      all += p[i] * x[i] * x[i];
    }
    error /= all;
    for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = moment[i] / mass[i];
  }
  return -10 * std::log10(error);
}

}  // namespace

TEST_CASE("normal: Max's table") {
  // Max 1960, table I: minimum mean squared errors of 2^b levels; 6 and 8 bits from Jayant & Noll
  // 1984, table 4.4 and Panter-Dite.
  const Density normal = Density::normal();
  CHECK(lloyd_max_db(normal, 1) == Approx(4.40).margin(0.005));
  CHECK(lloyd_max_db(normal, 2) == Approx(9.30).margin(0.005));
  CHECK(lloyd_max_db(normal, 3) == Approx(14.62).margin(0.005));
  CHECK(lloyd_max_db(normal, 4) == Approx(20.22).margin(0.005));
  CHECK(lloyd_max_db(normal, 5) == Approx(26.01).margin(0.01));
  CHECK(lloyd_max_db(normal, 6) == Approx(31.91).margin(0.02));
  CHECK(lloyd_max_db(normal, 8) == Approx(43.85).margin(0.02));
  // 6.02 b - 4.35
  CHECK(panter_dite_db(normal, 8) == Approx(43.82).margin(0.01));
  CHECK(rate_distortion_db(normal, 3) == Approx(six_db_per_bit_db(3)));
  CHECK(six_db_per_bit_db(10) == Approx(60.206).margin(1e-3));
}

TEST_CASE("Laplace: closed forms") {
  const Density laplace = Density::laplace();
  // One bit: levels at +-E|x| = +-1/sqrt 2, error 1 - 1/2.
  CHECK(lloyd_max_db(laplace, 1) == Approx(10 * std::log10(2.0)));
  // Paez & Glisson 1972, table I: 2, 3, 4 bits.
  CHECK(lloyd_max_db(laplace, 2) == Approx(7.54).margin(0.01));
  CHECK(lloyd_max_db(laplace, 3) == Approx(12.64).margin(0.01));
  CHECK(lloyd_max_db(laplace, 4) == Approx(18.13).margin(0.01));
  // D = (int p^(1/3))^3 / (12 4^b) = 108 b^2 / 12 / 4^b = 4.5 / 4^b.
  CHECK(panter_dite_db(laplace, 5) == Approx(10 * std::log10(std::pow(4.0, 5) / 4.5)));
  // h = 1 + ln(2 b) nats, so the bound is 10 log10(2 pi e / (2 e^2)) = 0.63 dB above 6.02 b.
  const double pi = std::acos(-1.0);
  CHECK(rate_distortion_db(laplace, 4) ==
        Approx(six_db_per_bit_db(4) + 10 * std::log10(pi / std::exp(1.0))));
}

TEST_CASE("Student: a grid, and the normal limit") {
  for (const double freedom : {4.4, 5.3}) {
    const double c = std::sqrt((freedom - 2) / freedom);
    std::vector<double> x, p;
    for (int i = 0; i < 28000; ++i) {
      const double s = 0.0005 * (i + 0.5);  // x = sinh s, up to 6e5: far out in the tail
      const double at = std::sinh(s);
      x.push_back(at);
      p.push_back(std::pow(1 + at * at / (c * c * freedom), -0.5 * (freedom + 1)) * std::cosh(s));
    }
    for (const int bits : {1, 2, 3}) {
      CHECK(lloyd_max_db(Density::student(freedom), bits) ==
            Approx(lloyd_on_a_grid(x, p, bits)).margin(0.001));
    }
  }
  const Density student = Density::student(299);
  for (const int bits : {1, 3, 5, 8}) {
    CHECK(lloyd_max_db(student, bits) == Approx(lloyd_max_db(Density::normal(), bits)).margin(0.1));
  }
  CHECK(panter_dite_db(student, 4) == Approx(panter_dite_db(Density::normal(), 4)).margin(0.1));
  CHECK(rate_distortion_db(student, 4) == Approx(six_db_per_bit_db(4)).margin(0.01));
}

TEST_CASE("no code beats the bound; many levels reach the limit") {
  for (const Density& density : {Density::normal(), Density::laplace(), Density::student(4.05),
                                 Density::student(4.4), Density::student(5)}) {
    INFO(to_string(density));
    double last = 0;
    for (int bits = 1; bits <= 16; ++bits) {
      const double best = lloyd_max_db(density, bits);
      CHECK(best > last);
      CHECK(best < rate_distortion_db(density, bits));
      last = best;
    }
    // Heavy tails are slow to reach it.
    const double margin = density.family == Density::Family::student ? 0.105 : 0.05;
    CHECK(lloyd_max_db(density, 8) == Approx(panter_dite_db(density, 8)).margin(margin));
    CHECK(lloyd_max_db(density, 8) > panter_dite_db(density, 8));
  }
}

TEST_CASE("a t density without a variance is refused") {
  CHECK_THROWS_AS(lloyd_max_db(Density::student(2), 4), xfq::Error);
  CHECK_THROWS_AS(panter_dite_db(Density::student(1.5), 4), xfq::Error);
  CHECK_THROWS_AS(rate_distortion_db(Density::student(301), 4), xfq::Error);
}

TEST_CASE("shapes are fitted by kurtosis") {
  CHECK(to_string(fit_density(-1.2)) == "normal");
  CHECK(to_string(fit_density(1.49)) == "normal");
  CHECK(to_string(fit_density(3)) == "laplace");
  CHECK(to_string(fit_density(4.5)) == "laplace");
  CHECK(to_string(fit_density(6)) == "student:5");
  CHECK(to_string(fit_density(15)) == "student:4.4");
  const auto kurtosis = [](Shape shape) {
    const auto x = sample(shape, 100000);
    return *observe(x.data(), 100000, 1).statistics().moments().excess_kurtosis();
  };
  CHECK(fit_density(kurtosis(Shape::normal)).family == Density::Family::normal);
  CHECK(fit_density(kurtosis(Shape::laplace)).family == Density::Family::laplace);
  CHECK(fit_density(kurtosis(Shape::student4)).family == Density::Family::student);
}

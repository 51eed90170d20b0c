// Bounds and best codes for densities of unit variance.
#include "xfq/quant/theory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "xfq/core/error.h"
#include "xfq/core/value.h"
#include "xfq/stats/quantiles.h"

namespace xfq::quant {
namespace {

const double kPi = 3.14159265358979323846;
const double kSqrtHalf = 0.70710678118654752440;
const double kLaplaceScale = kSqrtHalf;  // b with 2 b^2 = 1
// Beyond, the gamma functions below leave the range of double; t is normal by then.
constexpr double kMostFreedom = 300;
constexpr int kMostLloydBits = 8;

double decibels(double error) { return -10 * std::log10(error); }

// B(a, 1/2)
double beta_half(double a) { return std::tgamma(a) * std::sqrt(kPi) / std::tgamma(a + 0.5); }

// psi(x), x > 0: recurrence up to 10, then the asymptotic series (error below 1e-15).
double digamma(double x) {
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double r = 1 / (x * x);
  return sum + std::log(x) - 0.5 / x -
         r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132)))));
}

// Student's t has variance f / (f - 2).
double student_scale(double freedom) { return std::sqrt((freedom - 2) / freedom); }

double density_at(const Density& density, double x) {
  switch (density.family) {
    case Density::Family::normal:
      return std::exp(-0.5 * x * x) / std::sqrt(2 * kPi);
    case Density::Family::laplace:
      return std::exp(-std::abs(x) / kLaplaceScale) / (2 * kLaplaceScale);
    case Density::Family::student:
      break;
  }
  const double f = density.freedom;
  const double c = student_scale(f);
  const double u = x / c;
  return std::pow(1 + u * u / f, -0.5 * (f + 1)) / (std::sqrt(f) * beta_half(f / 2) * c);
}

// Integrals of p and of x p over [t, infinity), t >= 0.
struct Tail {
  double mass = 0;
  double moment = 0;
};
Tail tail(const Density& density, double t) {
  switch (density.family) {
    case Density::Family::normal:
      return {0.5 * std::erfc(t * kSqrtHalf), density_at(density, t)};
    case Density::Family::laplace: {
      const double mass = 0.5 * std::exp(-t / kLaplaceScale);
      return {mass, (t + kLaplaceScale) * mass};
    }
    case Density::Family::student:
      break;
  }
  const double f = density.freedom;
  const double c = student_scale(f);
  const double u = t / c;
  // c^2 p(t) is c times the density of t at u.
  return {0.5 * stats::t_two_sided_p(u, f), c * c * density_at(density, t) * (f + u * u) / (f - 1)};
}

double entropy(const Density& density) {
  switch (density.family) {
    case Density::Family::normal:
      return 0.5 * std::log(2 * kPi * std::exp(1.0));
    case Density::Family::laplace:
      return 1 + std::log(2 * kLaplaceScale);
    case Density::Family::student:
      break;
  }
  const double f = density.freedom;
  return 0.5 * (f + 1) * (digamma(0.5 * (f + 1)) - digamma(0.5 * f)) +
         std::log(std::sqrt(f) * beta_half(f / 2) * student_scale(f));
}

// The cube of the integral of p^(1/3). Without cube roots: a compiler rounds that of a constant
// otherwise than the library does.
double companding_integral_cubed(const Density& density) {
  switch (density.family) {
    case Density::Family::normal:
      return 6 * std::sqrt(3.0) * kPi;
    case Density::Family::laplace:
      return 108 * kLaplaceScale * kLaplaceScale;
    case Density::Family::student:
      break;
  }
  const double f = density.freedom;
  const double c = student_scale(f);
  const double companded = std::sqrt(f) * beta_half((f + 1) / 6 - 0.5);
  return c * c / (std::sqrt(f) * beta_half(f / 2)) * companded * companded * companded;
}

// The positive half of the density proportional to p^(1/3): its quantile at 0 < u < 1, where
// Panter and Dite's levels are.
double companded_quantile(const Density& density, double u) {
  switch (density.family) {
    case Density::Family::normal:
      return std::sqrt(3.0) * stats::normal_quantile(0.5 + 0.5 * u);
    case Density::Family::laplace:
      return -3 * kLaplaceScale * std::log1p(-u);
    case Density::Family::student:
      break;
  }
  const double f = density.freedom;
  const double companded = (f - 2) / 3;
  return student_scale(f) * std::sqrt(f / companded) * stats::t_quantile(0.5 + 0.5 * u, companded);
}

// The levels of one half of a symmetric code of 2 n levels: y_i = E[x | t_(i-1) < x < t_i], with
// t_i halfway between neighbours, t_0 = 0 and t_n infinite. Newton's method on these n equations,
// whose derivatives are tridiagonal.
class LloydMax {
 public:
  LloydMax(const Density& density, std::size_t n) : density_(density), y_(n) {
    for (std::size_t i = 0; i < n; ++i) {
      y_[i] = companded_quantile(density, (static_cast<double>(i) + 0.5) / static_cast<double>(n));
    }
  }

  /// Mean squared error of the best levels: 1 - E[y^2].
  double error() {
    find_cells();
    // Lloyd's own steps until Newton's are safe, which they are at once for many levels.
    for (int i = 0; i < 5; ++i) move_to_centroids();
    for (int i = 0; i < 50 && newton_step() > 1e-12; ++i) {
    }
    double explained = 0;
    for (const Cell& cell : cells_) explained += cell.moment * cell.moment / cell.mass;
    return 1 - 2 * explained;
  }

 private:
  struct Cell {
    double mass = 0;
    double moment = 0;
    double lo = 0;  // t_(i-1)
    double hi = 0;  // t_i; of the last cell not used
  };

  void find_cells() {
    const std::size_t n = y_.size();
    cells_.resize(n);
    Tail from = tail(density_, 0);
    double lo = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const bool last = i + 1 == n;
      const double hi = last ? 0 : 0.5 * (y_[i] + y_[i + 1]);
      const Tail to = last ? Tail{} : tail(density_, hi);
      cells_[i] = {from.mass - to.mass, from.moment - to.moment, lo, hi};
      from = to;
      lo = hi;
    }
  }

  void move_to_centroids() {
    for (std::size_t i = 0; i < y_.size(); ++i) y_[i] = cells_[i].moment / cells_[i].mass;
    find_cells();
  }

  // Returns the largest change.
  double newton_step() {
    const std::size_t n = y_.size();
    std::vector<double> below(n), diagonal(n), above(n), right(n);
    for (std::size_t i = 0; i < n; ++i) {
      const Cell& cell = cells_[i];
      const double centroid = cell.moment / cell.mass;
      // Change of the centroid with either end of the cell, half of it with either neighbour.
      const double at_lo =
          i == 0 ? 0 : 0.5 * density_at(density_, cell.lo) * (centroid - cell.lo) / cell.mass;
      const double at_hi =
          i + 1 == n ? 0 : 0.5 * density_at(density_, cell.hi) * (cell.hi - centroid) / cell.mass;
      below[i] = -at_lo;
      diagonal[i] = 1 - at_lo - at_hi;
      above[i] = -at_hi;
      right[i] = centroid - y_[i];
    }
    for (std::size_t i = 1; i < n; ++i) {
      const double factor = below[i] / diagonal[i - 1];
      diagonal[i] -= factor * above[i - 1];
      right[i] -= factor * right[i - 1];
    }
    for (std::size_t i = n; i-- > 0;) {
      if (i + 1 < n) right[i] -= above[i] * right[i + 1];
      right[i] /= diagonal[i];
    }
    // As much of the step as leaves the levels in order.
    std::vector<double> next(n);
    for (double share = 1; share > 1e-6; share /= 2) {
      bool ordered = true;
      for (std::size_t i = 0; i < n; ++i) {
        next[i] = y_[i] + share * right[i];
        ordered = ordered && next[i] > (i == 0 ? 0 : next[i - 1]);
      }
      if (ordered) break;
    }
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(next[i] - y_[i]));
    y_ = next;
    find_cells();
    return largest;
  }

  Density density_;
  std::vector<double> y_;
  std::vector<Cell> cells_;
};

void check(const Density& density) {
  if (density.family != Density::Family::student) return;
  if (density.freedom > 2 && density.freedom <= kMostFreedom) return;
  throw_run(fmt::format("a t density with {} degrees of freedom, expected above 2, at most {}",
                        density.freedom, kMostFreedom));
}

}  // namespace

std::string to_string(const Density& density) {
  switch (density.family) {
    case Density::Family::normal:
      return "normal";
    case Density::Family::laplace:
      return "laplace";
    case Density::Family::student:
      break;
  }
  return "student:" + to_text(Value(density.freedom));
}

Density fit_density(double excess_kurtosis) {
  if (excess_kurtosis < 1.5) return Density::normal();
  if (excess_kurtosis <= 4.5) return Density::laplace();
  return Density::student(4 + 6 / excess_kurtosis);
}

double six_db_per_bit_db(double bits) { return 20 * std::log10(2.0) * bits; }

double rate_distortion_db(const Density& density, double bits) {
  check(density);
  const double floor = std::exp(2 * entropy(density)) / (2 * kPi * std::exp(1.0));
  return six_db_per_bit_db(bits) + decibels(floor);
}

double panter_dite_db(const Density& density, double bits) {
  check(density);
  return six_db_per_bit_db(bits) + decibels(companding_integral_cubed(density) / 12);
}

double lloyd_max_db(const Density& density, int bits) {
  check(density);
  XFQ_ASSERT(bits >= 1 && bits <= 16);
  if (bits > kMostLloydBits) return panter_dite_db(density, bits);
  return decibels(LloydMax(density, std::size_t{1} << (bits - 1)).error());
}

}  // namespace xfq::quant

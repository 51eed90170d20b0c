// Pebay's update and merge formulas.
#include "xfq/stats/moments.h"

#include <fmt/format.h>

#include <cmath>

#include "xfq/core/error.h"

namespace xfq::stats {
namespace {

void need(std::int64_t count, std::int64_t least, const char* what) {
  if (count < least) {
    throw_run(fmt::format("{} of {} values, expected {} or more", what, count, least));
  }
}

}  // namespace

void Moments::add(double x) {
  Moments one;
  one.count_ = 1;
  one.mean_ = one.min_ = one.max_ = x;
  merge(one);
}

void Moments::merge(const Moments& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  const auto na = static_cast<double>(count_);
  const auto nb = static_cast<double>(other.count_);
  const double n = na + nb;
  const double d = other.mean_ - mean_;
  const double d_n = d / n;
  const double d2 = d * d_n * na * nb;  // d^2 na nb / n
  m4_ += other.m4_ + d2 * d_n * d_n * (na * na - na * nb + nb * nb) +
         6 * d_n * d_n * (na * na * other.m2_ + nb * nb * m2_) +
         4 * d_n * (na * other.m3_ - nb * m3_);
  m3_ += other.m3_ + d2 * d_n * (na - nb) + 3 * d_n * (na * other.m2_ - nb * m2_);
  m2_ += other.m2_ + d2;
  mean_ += d_n * nb;
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double Moments::mean() const {
  need(count_, 1, "mean");
  return mean_;
}

double Moments::min() const {
  need(count_, 1, "minimum");
  return min_;
}

double Moments::max() const {
  need(count_, 1, "maximum");
  return max_;
}

double Moments::population_variance() const {
  need(count_, 1, "population variance");
  return m2_ / static_cast<double>(count_);
}

double Moments::variance() const {
  need(count_, 2, "variance");
  return m2_ / static_cast<double>(count_ - 1);
}

double Moments::standard_deviation() const { return std::sqrt(variance()); }

double Moments::standard_error() const {
  return std::sqrt(variance() / static_cast<double>(count_));
}

std::optional<double> Moments::skewness() const {
  if (count_ == 0 || m2_ == 0) return std::nullopt;
  return std::sqrt(static_cast<double>(count_)) * m3_ / (m2_ * std::sqrt(m2_));
}

std::optional<double> Moments::excess_kurtosis() const {
  if (count_ == 0 || m2_ == 0) return std::nullopt;
  return static_cast<double>(count_) * (m4_ / m2_) / m2_ - 3;
}

}  // namespace xfq::stats

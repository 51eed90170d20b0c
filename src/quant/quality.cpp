// Token-by-token comparison of two models' logits.
#include "xfq/quant/quality.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "xfq/core/error.h"
#include "xfq/stats/histogram.h"

namespace xfq::quant {
namespace {

constexpr std::size_t kLanes = 8;

// Index of the largest value, the lowest one on a tie; 0 when all are NaN.
Index top(const float* x, Index size) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  const Index whole = size - size % static_cast<Index>(kLanes);
  for (Index j = 0; j < whole; j += static_cast<Index>(kLanes)) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      const float value = x[j + static_cast<Index>(k)];
      lanes[k] = value > lanes[k] ? value : lanes[k];
    }
  }
  float most = *std::max_element(lanes.begin(), lanes.end());
  for (Index j = whole; j < size; ++j) most = x[j] > most ? x[j] : most;
  const float* found = std::find(x, x + size, most);
  return found == x + size ? 0 : found - x;
}

// e^u for -708 <= u <= 0 in plain arithmetic, so that the compiler takes several at a time and
// every C library gives the same bits: u = n ln 2 + r, Taylor's series to r^13 (its rest is below
// 1e-17 for |r| <= ln 2 / 2), times 2^n.
inline double exponential(double u) {
  constexpr double kLog2e = 1.44269504088896340736;
  constexpr double kLn2High = 6.93147180369123816490e-01;  // 32 bits: n times it is exact
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52: the sum's last bit is worth 1
  const double shifted = u * kLog2e + kShift;
  std::int64_t bits = 0;
  std::memcpy(&bits, &shifted, sizeof bits);
  const double n = shifted - kShift;
  const double r = (u - n * kLn2High) - n * kLn2Low;
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  // The low bits of `shifted` are n; moved into the exponent they are 2^n but for the bias.
  const auto power = (static_cast<std::uint64_t>(bits) << 52) + 0x3ff0000000000000u;
  double scale = 0;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

// With u = a - max a, v = b - max b and p = e^u / sum e^u:
// KL = sum p (u - v) + ln sum e^v - ln sum e^u, two exponentials an entry.
struct RowSums {
  double a = 0;         // sum e^u
  double b = 0;         // sum e^v
  double weighted = 0;  // sum e^u (u - v)
};

RowSums sum_row(const float* a, double max_a, const float* b, double max_b, Index size) {
  constexpr Index kBlock = 64;
  std::array<double, kBlock> u;
  std::array<double, kBlock> v;
  std::array<double, kBlock> exp_u;
  std::array<double, kBlock> exp_v;
  std::array<double, kLanes> lanes_a{};
  std::array<double, kLanes> lanes_b{};
  std::array<double, kLanes> lanes_w{};
  for (Index begin = 0; begin < size; begin += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, size - begin));
    const std::size_t padded = (count + kLanes - 1) / kLanes * kLanes;
    for (std::size_t j = 0; j < count; ++j) {
      u[j] = static_cast<double>(a[begin + static_cast<Index>(j)]) - max_a;
      v[j] = static_cast<double>(b[begin + static_cast<Index>(j)]) - max_b;
    }
    for (std::size_t j = count; j < padded; ++j) u[j] = v[j] = 0;
    // Clamped in loops of their own, for the compiler's sake; e^-708 is nothing in these sums.
    for (std::size_t j = 0; j < padded; ++j) exp_u[j] = u[j] < -708.0 ? -708.0 : u[j];
    for (std::size_t j = 0; j < padded; ++j) exp_v[j] = v[j] < -708.0 ? -708.0 : v[j];
    for (std::size_t j = 0; j < padded; ++j) exp_u[j] = exponential(exp_u[j]);
    for (std::size_t j = 0; j < padded; ++j) exp_v[j] = exponential(exp_v[j]);
    for (std::size_t j = count; j < padded; ++j) exp_u[j] = exp_v[j] = 0;
    for (std::size_t j = 0; j < padded; j += kLanes) {
      for (std::size_t k = 0; k < kLanes; ++k) {
        lanes_a[k] += exp_u[j + k];
        lanes_b[k] += exp_v[j + k];
        lanes_w[k] += exp_u[j + k] * (u[j + k] - v[j + k]);
      }
    }
  }
  RowSums sums;
  for (std::size_t k = 0; k < lanes_a.size(); ++k) {
    sums.a += lanes_a[k];
    sums.b += lanes_b[k];
    sums.weighted += lanes_w[k];
  }
  return sums;
}

double mean(const std::vector<double>& values) {
  if (values.empty()) throw_run("comparison of 0 tokens, expected 1 or more");
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

void append(std::vector<double>& to, const std::vector<double>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// max |a - b|; a NaN counts for nothing (the divergence finds it).
float largest_difference(const float* a, const float* b, Index size) {
  std::array<float, kLanes> lanes{};
  const Index whole = size - size % static_cast<Index>(kLanes);
  const auto widen = [&](std::size_t lane, Index j) {
    const float difference = std::abs(a[j] - b[j]);
    lanes[lane] = difference > lanes[lane] ? difference : lanes[lane];
  };
  for (Index j = 0; j < whole; j += static_cast<Index>(kLanes)) {
    for (std::size_t k = 0; k < kLanes; ++k) widen(k, j + static_cast<Index>(k));
  }
  for (Index j = whole; j < size; ++j) widen(0, j);
  return *std::max_element(lanes.begin(), lanes.end());
}

}  // namespace

void LogitComparison::add(Index rows, Index vocab, const float* original, const float* quantized,
                          const std::int32_t* targets) {
  for (Index r = 0; r < rows; ++r) {
    if (targets[r] < 0) continue;
    XFQ_ASSERT(targets[r] < vocab);
    const float* a = original + r * vocab;
    const float* b = quantized + r * vocab;
    const Index top_a = top(a, vocab);
    const Index top_b = top(b, vocab);
    const auto max_a = static_cast<double>(a[top_a]);
    const auto max_b = static_cast<double>(b[top_b]);
    const RowSums sums = sum_row(a, max_a, b, max_b, vocab);
    const double log_a = std::log(sums.a);
    const double log_b = std::log(sums.b);
    const double kl = sums.weighted / sums.a + log_b - log_a;
    if (!std::isfinite(kl)) throw_run("a logit that is not finite, expected finite ones");
    const double loss_a = log_a - (static_cast<double>(a[targets[r]]) - max_a);
    const double loss_b = log_b - (static_cast<double>(b[targets[r]]) - max_b);
    kl_.push_back(std::max(0.0, kl));
    original_losses_.push_back(loss_a);
    quantized_losses_.push_back(loss_b);
    delta_p_.push_back(std::exp(-loss_b) - std::exp(-loss_a));
    same_top_ += top_a == top_b ? 1 : 0;
    largest_difference_ =
        std::max(largest_difference_, static_cast<double>(largest_difference(a, b, vocab)));
  }
}

void LogitComparison::merge(const LogitComparison& other) {
  append(kl_, other.kl_);
  append(original_losses_, other.original_losses_);
  append(quantized_losses_, other.quantized_losses_);
  append(delta_p_, other.delta_p_);
  same_top_ += other.same_top_;
  largest_difference_ = std::max(largest_difference_, other.largest_difference_);
}

double LogitComparison::original_nll() const { return mean(original_losses_); }

double LogitComparison::quantized_nll() const { return mean(quantized_losses_); }

double LogitComparison::delta_nll() const {
  if (kl_.empty()) throw_run("comparison of 0 tokens, expected 1 or more");
  double sum = 0;
  for (std::size_t i = 0; i < kl_.size(); ++i) sum += quantized_losses_[i] - original_losses_[i];
  return sum / static_cast<double>(kl_.size());
}

double LogitComparison::mean_kl() const { return mean(kl_); }

double LogitComparison::kl_quantile(double p) const {
  std::vector<double> sorted = kl_;
  std::sort(sorted.begin(), sorted.end());
  return stats::quantile(sorted, p);
}

double LogitComparison::same_top_share() const {
  if (kl_.empty()) throw_run("comparison of 0 tokens, expected 1 or more");
  return static_cast<double>(same_top_) / static_cast<double>(kl_.size());
}

double LogitComparison::rms_delta_p() const {
  if (delta_p_.empty()) throw_run("comparison of 0 tokens, expected 1 or more");
  double sum = 0;
  for (const double d : delta_p_) sum += d * d;
  return std::sqrt(sum / static_cast<double>(delta_p_.size()));
}

double LogitComparison::mean_delta_p() const { return mean(delta_p_); }

double LogitComparison::largest_logit_difference() const {
  if (kl_.empty()) throw_run("comparison of 0 tokens, expected 1 or more");
  return largest_difference_;
}

}  // namespace xfq::quant

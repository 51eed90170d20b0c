// Mixed precision: which products may be rounded, and does a cheap score know it?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

/// Bits of the rounded products.
inline constexpr int kMixedBits = 3;
inline constexpr int kRandomOrders = 20;

/// One product.
struct SensitivityRow {
  std::string name;
  Score alone;  ///< everything else in fp32: the truth that scores predict
  // Scores (quant/sensitivity.h), from calibration text.
  double sqnr = 0;    ///< minus the SQNR of weight and input, dB
  double kl = 0;      ///< token KL with this product alone rounded
  double fisher = 0;  ///< sum of squared gradient times squared rounding error of the weight
};

/// The loss while products return to fp32, the most important first.
struct OrderCurve {
  std::string order;               ///< "true", "sqnr", "kl", "fisher", "random:0", ...
  std::vector<std::int64_t> kept;  ///< products in fp32
  std::vector<double> delta_nll;
  double area = 0;  ///< mean over the points: the lower, the better the order
};

struct MixedResult {
  std::vector<SensitivityRow> products;
  std::vector<OrderCurve> curves;

  const OrderCurve& curve(const std::string& order) const;
  /// Share of the random orders whose area is larger.
  double share_beaten(const std::string& order) const;
  /// Kendall's tau of a score with the true loss differences; none where one is constant.
  std::optional<double> kendall(const std::string& score) const;
};

MixedResult measure_mixed(const Subject& subject);

/// Token KL on calibration text with one product at a time as in the plan; -infinity for products
/// that are not in it. `tokens` of the text.
std::vector<double> kl_scores(const Subject& subject, const quant::Plan& plan, std::int64_t tokens);

struct SeedResult;
Table sensitivity_table(const std::vector<SeedResult>& seeds);
Table order_curves_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

// How far a quantized model's predictions are from the original's, token by token.
//
// The loss difference alone resolves little: at 8 bits it drowns in the noise of
// the data, while KL(p || q) per token is never negative and orders methods
// cleanly. Log-softmax and sums are in double.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::quant {

class LogitComparison {
 public:
  /// Two sets of logits [rows, vocab] of the same inputs; rows with target < 0 are left
  /// out. Throws ErrorKind::run on a logit that is not finite.
  void add(Index rows, Index vocab, const float* original, const float* quantized,
           const std::int32_t* targets);
  /// Appends the tokens of `other`.
  void merge(const LogitComparison& other);

  std::int64_t tokens() const { return static_cast<std::int64_t>(kl_.size()); }

  // All of these throw ErrorKind::run when no token was added.
  double original_nll() const;   ///< mean, nats/token
  double quantized_nll() const;  ///< mean, nats/token
  /// Mean of the per-token differences, quantized - original.
  double delta_nll() const;
  /// KL(p_original || p_quantized) in nats per token.
  double mean_kl() const;
  double median_kl() const { return kl_quantile(0.5); }
  double max_kl() const { return kl_quantile(1); }
  /// stats::quantile of the per-token values; 0 <= p <= 1. 0.999 is the usual tail.
  double kl_quantile(double p) const;
  /// Share of tokens whose most likely next token is the same (the lowest id on a tie).
  double same_top_share() const;
  /// Of p_quantized(target) - p_original(target): root mean square, and mean.
  double rms_delta_p() const;
  double mean_delta_p() const;
  /// Over all tokens and logits: 0 for equal models, rounding for models that are equal on paper.
  double largest_logit_difference() const;

  // Per token, in the order of adding.
  const std::vector<double>& kl() const { return kl_; }
  const std::vector<double>& original_losses() const { return original_losses_; }
  const std::vector<double>& quantized_losses() const { return quantized_losses_; }
  const std::vector<double>& delta_p() const { return delta_p_; }

 private:
  std::vector<double> kl_;
  std::vector<double> original_losses_;
  std::vector<double> quantized_losses_;
  std::vector<double> delta_p_;
  std::int64_t same_top_ = 0;
  double largest_difference_ = 0;
};

}  // namespace xfq::quant

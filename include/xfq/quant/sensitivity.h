// Mixed precision: which products suffer most from quantization, and plans that spare them.
//
// Three scores; a larger one means more sensitive.
//   sqnr    minus the SQNR of the product's weight and input: cheap, knows nothing of the loss
//   kl      token KL with only this product quantized: an evaluation per product
//   fisher  sum of F_ii (w_i - w^_i)^2 with F the diagonal of the empirical Fisher matrix: the
//           second-order change of the loss where the gradient vanishes (Dong et al. 2019, "HAWQ",
//           with the Fisher diagonal for the Hessian)
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/weights.h"

namespace xfq::quant {

/// Only product `site` as in the plan, all others in fp32: what the score `kl` evaluates.
Plan only_site(const Plan& plan, std::size_t site);

/// Products from the most to the least sensitive; equal scores in the order of the products.
std::vector<std::size_t> most_sensitive_first(const std::vector<double>& scores);

/// The plan with the first `count` products of `order` set to `kept` (default: left in fp32).
Plan keep_sites(const Plan& plan, const std::vector<std::size_t>& order, std::size_t count,
                const SitePlan& kept = {});

/// 10 log10(n_w + n_x) with n noise over signal of the weight and of the input, one per product:
/// relative errors of two factors add. `activations` may be empty (weights only). Products that are
/// not in the plan have -infinity; so has one without any error.
std::vector<double> sqnr_scores(const std::vector<models::LinearSite>& sites,
                                const std::vector<TensorReport>& weights,
                                const std::vector<TensorReport>& activations);

/// Mean over sequences of the squared gradient of a sequence's mean loss, per parameter.
class FisherDiagonal {
 public:
  /// Sequences of at most `time` tokens. The decoder must outlive this.
  FisherDiagonal(const models::Decoder& decoder, Index time);

  /// Adds every sequence of the batch that predicts a token, one backward pass each.
  void add(const Vector<float>& parameters, const models::TokenBatch& batch);

  std::int64_t sequences() const { return sequences_; }
  /// Of the model's layout. Throws ErrorKind::run when nothing was added.
  Vector<double> mean() const;

 private:
  const models::Decoder& decoder_;
  models::DecoderWorkspace<float> workspace_;
  Vector<float> gradients_;
  Vector<double> sum_;
  std::int64_t sequences_ = 0;
};

/// sum F (w - w^)^2 over each product's weight; 0 for those that are not rounded.
std::vector<double> fisher_scores(const std::vector<models::LinearSite>& sites,
                                  const Vector<double>& fisher, const Vector<float>& parameters,
                                  const Vector<float>& rounded);

}  // namespace xfq::quant

// Carries out the InputTransform of one product, on activations and on its weight.
#pragma once

#include <optional>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/quant/hadamard.h"
#include "xfq/quant/plan.h"

namespace xfq::quant {

class InputTransformer {
 public:
  InputTransformer() = default;
  /// For an input of `size` channels.
  InputTransformer(const InputTransform& input, Index size);

  bool empty() const { return !hadamard_ && columns_.empty(); }
  const std::vector<Index>& outlier_columns() const { return columns_; }

  /// x [rows, size]: rotated, or outlier columns moved out and set to 0.
  void apply(Index rows, float* x);
  /// Of the last apply(): rotated back, or outlier columns moved in again.
  void undo(Index rows, float* x) const;
  /// The columns that the last apply() moved out, [rows, columns].
  const float* kept() const { return kept_.data(); }
  /// A gradient of x: rotated as x was, and back. Outlier columns are left alone.
  void rotate(Index rows, float* d) const;
  void rotate_back(Index rows, float* d) const;

  /// w in the site's layout: rotated, or outlier rows set to 0.
  void apply_to_weight(const models::LinearSite& site, float* w) const;
  /// Rotated back, or outlier rows as in `original`.
  void undo_on_weight(const models::LinearSite& site, const float* original, float* w) const;
  /// h [size, size] of x^T x.
  void apply_to_second_moment(double* h) const;

 private:
  Index size_ = 0;
  std::optional<Hadamard> hadamard_;
  std::vector<Index> columns_;
  std::vector<float> kept_;
};

}  // namespace xfq::quant

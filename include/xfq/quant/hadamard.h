// Rotation of a product's input by a randomised Hadamard matrix (Ashkboos et al. 2024,
// "QuaRot: outlier-free 4-bit inference in rotated LLMs", section 3): R = D H with H
// orthonormal and D random signs, so that x W = (x R)(R^T W) while the largest value of
// x R is spread over all channels: one channel of size s becomes K of size s / sqrt(K).
//
// H is Sylvester's matrix where K is a power of two, otherwise block diagonal with blocks
// of the largest power of two that divides K. S is float (activations and weights) or double
// (second moments).
#pragma once

#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::quant {

class Hadamard {
 public:
  /// K >= 1 channels. Signs come from Stream(K, "quant.hadamard").
  explicit Hadamard(Index size);

  Index size() const { return static_cast<Index>(signs_.size()); }
  /// Size of the blocks of H.
  Index block() const { return block_; }

  /// x <- x R, x [rows, K]; orthonormal up to rounding.
  template <class S>
  void rotate(Index rows, S* x) const;
  /// x <- x R^T.
  template <class S>
  void rotate_back(Index rows, S* x) const;
  /// w <- R^T w, w [K, cols].
  template <class S>
  void rotate_columns(Index cols, S* w) const;
  /// w <- R w, w [K, cols].
  template <class S>
  void rotate_columns_back(Index cols, S* w) const;

 private:
  template <class S>
  S sign(Index i) const {
    return static_cast<S>(signs_[static_cast<std::size_t>(i)]);
  }
  template <class S>
  void scale_rows(Index cols, S* w) const;

  std::vector<float> signs_;
  Index block_ = 1;
  float factor_ = 1;  // 1 / sqrt(block)
};

}  // namespace xfq::quant

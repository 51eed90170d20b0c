// Rotation and outlier columns of one product.
#include "input_transform.h"

#include <algorithm>

#include "slices.h"
#include "xfq/core/error.h"

namespace xfq::quant {

InputTransformer::InputTransformer(const InputTransform& input, Index size)
    : size_(size), columns_(input.outlier_columns) {
  XFQ_ASSERT(!(input.hadamard && !columns_.empty()));
  XFQ_ASSERT(std::is_sorted(columns_.begin(), columns_.end()));
  XFQ_ASSERT(columns_.empty() || (columns_.front() >= 0 && columns_.back() < size));
  if (input.hadamard) hadamard_.emplace(size);
}

void InputTransformer::apply(Index rows, float* x) {
  rotate(rows, x);
  if (columns_.empty()) return;
  kept_.resize(static_cast<std::size_t>(rows) * columns_.size());
  std::size_t k = 0;
  for (Index r = 0; r < rows; ++r) {
    for (const Index c : columns_) {
      float& value = x[r * size_ + c];
      kept_[k++] = value;
      value = 0;
    }
  }
}

void InputTransformer::undo(Index rows, float* x) const {
  rotate_back(rows, x);
  std::size_t k = 0;
  for (Index r = 0; r < rows && !columns_.empty(); ++r) {
    for (const Index c : columns_) x[r * size_ + c] = kept_[k++];
  }
}

void InputTransformer::rotate(Index rows, float* d) const {
  if (hadamard_) hadamard_->rotate(rows, d);
}

void InputTransformer::rotate_back(Index rows, float* d) const {
  if (hadamard_) hadamard_->rotate_back(rows, d);
}

void InputTransformer::apply_to_weight(const models::LinearSite& site, float* w) const {
  if (hadamard_ && site.tied_embedding) hadamard_->rotate(site.out, w);
  if (hadamard_ && !site.tied_embedding) hadamard_->rotate_columns(site.out, w);
  for (const Index c : columns_) {
    for (Index o = 0; o < site.out; ++o) w[weight_offset(site, c, o)] = 0;
  }
}

void InputTransformer::undo_on_weight(const models::LinearSite& site, const float* original,
                                      float* w) const {
  if (hadamard_ && site.tied_embedding) hadamard_->rotate_back(site.out, w);
  if (hadamard_ && !site.tied_embedding) hadamard_->rotate_columns_back(site.out, w);
  for (const Index c : columns_) {
    for (Index o = 0; o < site.out; ++o) {
      w[weight_offset(site, c, o)] = original[weight_offset(site, c, o)];
    }
  }
}

void InputTransformer::apply_to_second_moment(double* h) const {
  if (hadamard_) {
    hadamard_->rotate(size_, h);
    hadamard_->rotate_columns(size_, h);
  }
  for (const Index c : columns_) {
    for (Index i = 0; i < size_; ++i) h[c * size_ + i] = h[i * size_ + c] = 0;
  }
}

}  // namespace xfq::quant

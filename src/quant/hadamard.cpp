// Fast Walsh-Hadamard transforms with random signs.
#include "xfq/quant/hadamard.h"

#include <cmath>

#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::quant {
namespace {

// x <- x H sqrt(size), size a power of two. Entries are `stride` apart, and `width` neighbouring
// vectors are transformed side by side.
template <class S>
void transform(Index size, Index stride, Index width, S* x) {
  for (Index half = 1; half < size; half *= 2) {
    for (Index begin = 0; begin < size; begin += 2 * half) {
      for (Index i = begin; i < begin + half; ++i) {
        S* upper = x + i * stride;
        S* lower = x + (i + half) * stride;
        for (Index j = 0; j < width; ++j) {
          const S sum = upper[j] + lower[j];
          lower[j] = upper[j] - lower[j];
          upper[j] = sum;
        }
      }
    }
  }
}

// The same for one vector whose entries are neighbours.
template <class S>
void transform_row(Index size, S* x) {
  for (Index half = 1; half < size; half *= 2) {
    for (Index begin = 0; begin < size; begin += 2 * half) {
      S* upper = x + begin;
      S* lower = upper + half;
      for (Index i = 0; i < half; ++i) {
        const S sum = upper[i] + lower[i];
        lower[i] = upper[i] - lower[i];
        upper[i] = sum;
      }
    }
  }
}

}  // namespace

Hadamard::Hadamard(Index size) {
  XFQ_ASSERT(size >= 1);
  while (size % (2 * block_) == 0) block_ *= 2;
  factor_ = 1.0f / std::sqrt(static_cast<float>(block_));
  Stream stream(static_cast<std::uint64_t>(size), "quant.hadamard");
  signs_.resize(static_cast<std::size_t>(size));
  for (float& sign : signs_) sign = stream.bernoulli(0.5) ? 1.0f : -1.0f;
}

template <class S>
void Hadamard::rotate(Index rows, S* x) const {
  const Index n = size();
  for (Index r = 0; r < rows; ++r) {
    S* row = x + r * n;
    const auto factor = static_cast<S>(factor_);
    for (Index i = 0; i < n; ++i) row[i] *= sign<S>(i) * factor;
    for (Index b = 0; b < n; b += block_) transform_row(block_, row + b);
  }
}

template <class S>
void Hadamard::rotate_back(Index rows, S* x) const {
  const Index n = size();
  for (Index r = 0; r < rows; ++r) {
    S* row = x + r * n;
    for (Index b = 0; b < n; b += block_) transform_row(block_, row + b);
    const auto factor = static_cast<S>(factor_);
    for (Index i = 0; i < n; ++i) row[i] *= sign<S>(i) * factor;
  }
}

template <class S>
void Hadamard::scale_rows(Index cols, S* w) const {
  for (Index i = 0; i < size(); ++i) {
    const S factor = sign<S>(i) * static_cast<S>(factor_);
    for (Index j = 0; j < cols; ++j) w[i * cols + j] *= factor;
  }
}

template <class S>
void Hadamard::rotate_columns(Index cols, S* w) const {
  scale_rows(cols, w);
  for (Index b = 0; b < size(); b += block_) transform(block_, cols, cols, w + b * cols);
}

template <class S>
void Hadamard::rotate_columns_back(Index cols, S* w) const {
  for (Index b = 0; b < size(); b += block_) transform(block_, cols, cols, w + b * cols);
  scale_rows(cols, w);
}

#define XFQ_INSTANTIATE(S)                                    \
  template void Hadamard::rotate<S>(Index, S*) const;         \
  template void Hadamard::rotate_back<S>(Index, S*) const;    \
  template void Hadamard::rotate_columns<S>(Index, S*) const; \
  template void Hadamard::rotate_columns_back<S>(Index, S*) const;
XFQ_INSTANTIATE(float)
XFQ_INSTANTIATE(double)
#undef XFQ_INSTANTIATE

}  // namespace xfq::quant

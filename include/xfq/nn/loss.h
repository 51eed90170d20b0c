// A loss is a sum and a count, so that batches of different size add up to the
// right mean.
#pragma once

#include <cmath>
#include <cstdint>

namespace xfq::nn {

struct Loss {
  double sum = 0;          ///< nats
  std::int64_t count = 0;  ///< predictions

  Loss& operator+=(const Loss& other) {
    sum += other.sum;
    count += other.count;
    return *this;
  }
  /// Nats per prediction; NaN when there was none.
  double mean() const { return sum / static_cast<double>(count); }
  double perplexity() const { return std::exp(mean()); }
};

}  // namespace xfq::nn

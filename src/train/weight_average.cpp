#include "xfq/train/weight_average.h"

#include <algorithm>
#include <limits>

#include "xfq/core/error.h"

namespace xfq::train {

WeightAverage::WeightAverage(double share)
    : gamma_plus_1_(share > 0 ? 1 / share - 1 : std::numeric_limits<double>::infinity()) {
  XFQ_ASSERT(share >= 0 && share <= 0.5);
}

void WeightAverage::add(std::int64_t updates, const Vector<float>& weights) {
  const double share = std::min(1.0, gamma_plus_1_ / static_cast<double>(updates));
  if (share == 1.0) {
    average_ = weights;
    return;
  }
  average_ += static_cast<float>(share) * (weights - average_);
}

}  // namespace xfq::train

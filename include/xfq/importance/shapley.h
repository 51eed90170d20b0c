// Sampled Shapley values (Shapley 1953; Castro et al. 2009; "Neuron Shapley", Ghorbani & Zou
// 2020): units leave the model one by one in a random order, and a unit's value is the mean rise
// of the loss when it leaves. Over all units the rises of one order sum to loss(all off) -
// loss(all on).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "xfq/importance/statistics.h"

namespace xfq::importance {

struct ShapleyValues {
  /// Mean rise in nats per token, from the even and from the odd orders.
  std::array<std::vector<double>, 2> halves;
  std::array<std::int64_t, 2> orders{};
  std::vector<double> mean() const;
};

/// A forward pass for each unit and order, and one with all. `removed` units have left before.
/// Order p is drawn from Stream(seed, "importance/shapley", p).
ShapleyValues sample_shapley(const Network& network, const float* parameters,
                             const std::vector<Batch>& batches, const Units& units, Index orders,
                             std::uint64_t seed, const StopCheck& stop,
                             const std::vector<bool>& removed = {});

}  // namespace xfq::importance

#include "xfq/importance/shapley.h"

#include <numeric>

#include "batch_tap.h"
#include "xfq/core/random.h"

namespace xfq::importance {

std::vector<double> ShapleyValues::mean() const {
  const double total = static_cast<double>(orders[0] + orders[1]);
  std::vector<double> values(halves[0].size());
  for (std::size_t u = 0; u < values.size(); ++u) {
    values[u] = (halves[0][u] * static_cast<double>(orders[0]) +
                 halves[1][u] * static_cast<double>(orders[1])) /
                total;
  }
  return values;
}

ShapleyValues sample_shapley(const Network& network, const float* parameters,
                             const std::vector<Batch>& batches, const Units& units, Index orders,
                             std::uint64_t seed, const StopCheck& stop,
                             const std::vector<bool>& removed) {
  ShapleyValues result;
  const auto count = static_cast<std::size_t>(units.count());
  for (auto& half : result.halves) half.assign(count, 0.0);
  UnitTap tap(units);
  const auto pass = make_pass(network, batches);
  const auto mean_loss = [&] {
    nn::Loss loss;
    for_each(batches, stop, [&](std::size_t, const Batch& batch, Index) {
      pass->forward(parameters, batch, &tap);
      loss += pass->loss(batch);
    });
    return loss.mean();
  };
  for (Index p = 0; p < orders; ++p) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    Stream stream(seed, "importance/shapley", static_cast<std::uint64_t>(p));
    stream.shuffle(order);
    std::vector<bool> off = removed;
    off.resize(count, false);
    tap.remove(off);
    double last = mean_loss();
    for (const std::size_t unit : order) {
      if (off[unit]) continue;
      off[unit] = true;
      tap.remove(off);
      const double loss = mean_loss();
      result.halves[static_cast<std::size_t>(p % 2)][unit] += loss - last;
      last = loss;
    }
    ++result.orders[static_cast<std::size_t>(p % 2)];
  }
  for (std::size_t h = 0; h < 2; ++h) {
    if (result.orders[h] == 0) continue;
    for (double& value : result.halves[h]) value /= static_cast<double>(result.orders[h]);
  }
  return result;
}

}  // namespace xfq::importance

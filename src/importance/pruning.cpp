#include "xfq/importance/pruning.h"

#include <algorithm>
#include <cmath>

#include "batch_tap.h"
#include "xfq/core/error.h"
#include "xfq/importance/agreement.h"

namespace xfq::importance {

nn::Loss loss_without(const Network& network, const float* parameters,
                      const std::vector<Batch>& batches, const Units& units,
                      const std::vector<bool>& removed, const StopCheck& stop) {
  UnitTap tap(units);
  tap.remove(removed);
  const auto pass = make_pass(network, batches);
  nn::Loss loss;
  for_each(batches, stop, [&](std::size_t, const Batch& batch, Index) {
    pass->forward(parameters, batch, &tap);
    loss += pass->loss(batch);
  });
  return loss;
}

std::size_t removed_count(double fraction, const Units& units) {
  return static_cast<std::size_t>(std::lround(fraction * static_cast<double>(units.count())));
}

std::vector<bool> first_of(const std::vector<std::size_t>& order, std::size_t count) {
  std::vector<bool> removed(order.size(), false);
  for (std::size_t i = 0; i < count; ++i) removed[order[i]] = true;
  return removed;
}

double PruningCurve::area() const {
  double area = 0, last_fraction = 0, last_rise = 0;
  for (std::size_t i = 0; i < fractions.size(); ++i) {
    area += (fractions[i] - last_fraction) * (rise[i] + last_rise) / 2;
    last_fraction = fractions[i];
    last_rise = rise[i];
  }
  return area / last_fraction;
}

PruningCurve prune(const Network& network, const float* parameters,
                   const std::vector<Batch>& batches, const Units& units,
                   const std::vector<std::size_t>& order, const std::vector<double>& fractions,
                   double full_loss, const StopCheck& stop) {
  PruningCurve curve;
  curve.fractions = fractions;
  for (const double fraction : fractions) {
    const std::vector<bool> removed = first_of(order, removed_count(fraction, units));
    curve.rise.push_back(loss_without(network, parameters, batches, units, removed, stop).mean() -
                         full_loss);
  }
  return curve;
}

PruningCurve prune_iteratively(const Network& network, const float* parameters,
                               const std::vector<Batch>& batches, const Units& units,
                               const Rescore& rescore, const std::vector<double>& fractions,
                               double full_loss, const StopCheck& stop) {
  PruningCurve curve;
  curve.fractions = fractions;
  std::vector<bool> removed(static_cast<std::size_t>(units.count()), false);
  std::size_t gone = 0;
  for (const double fraction : fractions) {
    const std::vector<double> scores = rescore(removed);
    const std::size_t target = removed_count(fraction, units);
    for (const std::size_t unit : ascending(scores)) {
      if (gone >= target) break;
      if (removed[unit]) continue;
      removed[unit] = true;
      ++gone;
    }
    curve.rise.push_back(loss_without(network, parameters, batches, units, removed, stop).mean() -
                         full_loss);
  }
  return curve;
}

}  // namespace xfq::importance

// Pruning: the loss of a model whose units leave in a score's order.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "xfq/importance/scores.h"
#include "xfq/nn/loss.h"

namespace xfq::importance {

/// The loss without the removed units.
nn::Loss loss_without(const Network& network, const float* parameters,
                      const std::vector<Batch>& batches, const Units& units,
                      const std::vector<bool>& removed, const StopCheck& stop);

/// round(fraction * units) units.
std::size_t removed_count(double fraction, const Units& units);

/// Marks the first `count` units of an order.
std::vector<bool> first_of(const std::vector<std::size_t>& order, std::size_t count);

/// Rise of the loss at ascending fractions in (0, 1], nats per token.
struct PruningCurve {
  std::vector<double> fractions;
  std::vector<double> rise;
  /// Area by the trapezoid rule from fraction 0, where the rise is 0, to the last one, divided by
  /// the last one: the mean rise.
  double area() const;
};

/// One-shot: the order is fixed beforehand.
PruningCurve prune(const Network& network, const float* parameters,
                   const std::vector<Batch>& batches, const Units& units,
                   const std::vector<std::size_t>& order, const std::vector<double>& fractions,
                   double full_loss, const StopCheck& stop);

/// Iterative: at every fraction the pruned model is scored again, and the lowest of what is left
/// leave. rescore(removed) gives all units a score; its first call is with nothing removed.
using Rescore = std::function<std::vector<double>(const std::vector<bool>& removed)>;
PruningCurve prune_iteratively(const Network& network, const float* parameters,
                               const std::vector<Batch>& batches, const Units& units,
                               const Rescore& rescore, const std::vector<double>& fractions,
                               double full_loss, const StopCheck& stop);

}  // namespace xfq::importance

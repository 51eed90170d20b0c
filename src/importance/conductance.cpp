#include "xfq/importance/conductance.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "batch_tap.h"
#include "xfq/core/error.h"

namespace xfq::importance {

namespace {

/// Opens one layer by a factor and adds up (a - b) * g at every token.
class GateTap final : public BatchTap {
 public:
  GateTap(const Units& units, const std::vector<float>& baseline)
      : BatchTap(units),
        baseline_(baseline.empty()
                      ? std::vector<float>(static_cast<std::size_t>(units.layers * units.columns()))
                      : baseline) {}

  void open(Index layer, double factor, double weight) {
    layer_ = layer;
    factor_ = static_cast<float>(factor);
    weight_ = weight;
  }
  /// Contributions [rows, per_layer] of the batch and layer at hand.
  std::vector<double>& sums() { return sums_; }

 protected:
  void values(Index layer, float* x, Index rows) override {
    if (layer != layer_) return;
    const Index columns = units().columns();
    const float* const baseline = baseline_.data() + layer * columns;
    away_.resize(static_cast<std::size_t>(rows * columns));
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c) {
        const Index i = r * columns + c;
        const float away = x[i] - baseline[c];
        away_[static_cast<std::size_t>(i)] = away;
        x[i] = baseline[c] + factor_ * away;
      }
    }
  }

  void gradients(Index layer, float* d_x, Index rows) override {
    if (layer != layer_) return;
    const Index width = units().width;
    for (Index i = 0; i < rows * units().per_layer; ++i) {
      double ga = 0;
      for (Index c = i * width; c < (i + 1) * width; ++c) {
        ga += static_cast<double>(away_[static_cast<std::size_t>(c)]) * static_cast<double>(d_x[c]);
      }
      sums_[static_cast<std::size_t>(i)] += weight_ * ga;
    }
  }

 private:
  std::vector<float> baseline_;
  Index layer_ = 0;
  float factor_ = 1;
  double weight_ = 0;
  std::vector<float> away_;  // a - b
  std::vector<double> sums_;
};

}  // namespace

double Conductance::completeness_error() const {
  double worst = 0;
  for (std::size_t l = 0; l < contributions.size(); ++l) {
    const double error = std::abs(contributions[l] - loss_difference[l]);
    if (error > 0) worst = std::max(worst, error / std::abs(loss_difference[l]));
  }
  return worst;
}

Quadrature gauss_legendre(Index nodes) {
  XFQ_ASSERT(nodes >= 1 && nodes <= kMostNodes);
  // Roots of the Legendre polynomial P_n by Newton's method from Chebyshev's points; weights
  // 2 / ((1 - x^2) P_n'(x)^2).
  const double pi = std::acos(-1.0);
  const double n = static_cast<double>(nodes);
  Quadrature quadrature;
  for (Index i = 0; i < nodes; ++i) {
    double x = -std::cos(pi * (static_cast<double>(i) + 0.75) / (n + 0.5));
    double slope = 1;
    for (int round = 0; round < 20; ++round) {
      double last = 1, value = x;
      for (Index k = 2; k <= nodes; ++k) {
        const double order = static_cast<double>(k);
        const double next = ((2 * order - 1) * x * value - (order - 1) * last) / order;
        last = value;
        value = next;
      }
      slope = n * (x * value - last) / (x * x - 1);
      x -= value / slope;
    }
    quadrature.points.push_back((x + 1) / 2);
    quadrature.weights.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return quadrature;
}

Conductance conductance(const Network& network, const float* parameters,
                        const std::vector<Batch>& batches, const Units& units,
                        const std::vector<float>& baseline, Index nodes, const StopCheck& stop,
                        const std::vector<bool>& removed) {
  Conductance result;
  for (auto& absolute : result.absolute) {
    absolute.assign(static_cast<std::size_t>(units.count()), 0.0);
  }
  result.contributions.assign(static_cast<std::size_t>(units.layers), 0.0);
  result.loss_difference.assign(static_cast<std::size_t>(units.layers), 0.0);

  std::int64_t passes = 0;  // over batches

  GateTap tap(units, baseline);
  tap.remove(removed);
  const auto pass = make_pass(network, batches);
  Vector<float> unused = nn::make_parameters<float>(network.layout());
  for_each(batches, stop, [&](std::size_t, const Batch& batch, Index sequence) {
    tap.start(batch, sequence);
    const auto loss = [&](Index layer, double factor) {
      tap.open(layer, factor, 0);
      pass->forward(parameters, batch, &tap);
      return pass->loss(batch).sum;
    };
    const double open = loss(0, 1);
    for (Index l = 0; l < units.layers; ++l) {
      const auto layer = static_cast<std::size_t>(l);
      const double difference = open - loss(l, 0);
      result.loss_difference[layer] += difference;
      std::vector<double>& sums = tap.sums();
      for (Index points = nodes; points <= kMostNodes; points *= 2) {
        sums.assign(static_cast<std::size_t>(batch.rows() * units.per_layer), 0.0);
        const Quadrature quadrature = gauss_legendre(points);
        for (std::size_t i = 0; i < quadrature.points.size(); ++i) {
          tap.open(l, quadrature.points[i], quadrature.weights[i]);
          pass->forward_backward(parameters, batch, unused.data(), &tap);
        }
        passes += points;
        const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
        // Tighter than asked of the sum over batches, whose differences may cancel.
        if (std::abs(sum - difference) <= 0.1 * kCompleteness * std::abs(difference)) break;
      }

      for (Index r = 0; r < batch.rows(); ++r) {
        if (batch.padding(r)) continue;
        const auto half = static_cast<std::size_t>((sequence + r / batch.time) % 2);
        if (l == 0) ++result.tokens[half];
        for (Index j = 0; j < units.per_layer; ++j) {
          const double value = sums[static_cast<std::size_t>(r * units.per_layer + j)];
          result.contributions[layer] += value;
          result.absolute[half][static_cast<std::size_t>(l * units.per_layer + j)] +=
              std::abs(value);
        }
      }
    }
  });
  const auto texts = static_cast<std::int64_t>(batches.size());
  result.gradient_passes = (passes + texts - 1) / texts;
  return result;
}

}  // namespace xfq::importance

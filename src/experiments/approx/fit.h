// Training a perceptron on samples, and what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "baselines.h"
#include "jobs.h"
#include "targets.h"
#include "xfq/core/monitor.h"
#include "xfq/models/mlp.h"

namespace xfq::experiments::approx {

/// How a network is trained: AdamW, cosine schedule, gradient norm at most 1.
struct Recipe {
  std::vector<Index> hidden;  ///< widths of the hidden layers
  models::MlpActivation activation = models::MlpActivation::relu;
  std::int64_t steps = 0;
  std::int64_t batch_size = 0;  ///< rows per update; all rows when there are no more
  double lr = 0;
  double weight_decay = 0;

  /// In words, for the identity of a job.
  std::string text() const;
};

/// Looks at the parameters after `step` updates.
using Look = std::function<void(std::int64_t step, const Vector<float>& parameters)>;

struct Fit {
  models::Mlp mlp;
  Vector<float> parameters;

  /// The network's values at the rows, computed in float.
  std::vector<double> predictions(const Samples& samples) const;
};

struct FitOptions {
  Index first_layer = 0;                 ///< layers before it stay as they are
  const Vector<float>* start = nullptr;  ///< instead of initial values from the seed
  std::int64_t look_every = 0;           ///< 0: never
  Look look = {};
};

models::Mlp network(const Recipe& recipe, Index inputs);

/// Initial values and batches come from the seed. Adds what it cost to `spent`.
Fit fit(const Recipe& recipe, const Samples& samples, std::uint64_t seed, Monitor& monitor,
        const std::string& label, Numbers& spent, const FitOptions& options = {});

/// The number of parameters with one output.
Index parameter_count(const std::vector<Index>& hidden, Index inputs);
/// The widest equal hidden layers, `depth` of them, with at most `parameters` parameters;
/// at least 1 wide.
std::vector<Index> hidden_layers(Index depth, Index inputs, Index parameters);

/// Sends stop requests through at every step and progress at every hundredth: small
/// networks make more steps than a progress line can take.
class SparseMonitor : public Monitor {
 public:
  explicit SparseMonitor(Monitor& monitor) : monitor_(monitor) {}
  bool stop_requested() const override { return monitor_.stop_requested(); }
  void progress(const std::string& label, std::int64_t step, std::int64_t steps,
                double loss) override {
    if (step % 100 == 0) monitor_.progress(label, step, steps, loss);
  }

 private:
  Monitor& monitor_;
};

}  // namespace xfq::experiments::approx

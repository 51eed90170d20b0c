#include "fit.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "xfq/core/random.h"
#include "xfq/train/loop.h"

namespace xfq::experiments::approx {

namespace {

constexpr Index kPredictionRows = 1024;

Vector<float> to_float(const std::vector<double>& values) {
  Vector<float> floats(static_cast<Index>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    floats[static_cast<Index>(i)] = static_cast<float>(values[i]);
  }
  return floats;
}

}  // namespace

std::string Recipe::text() const {
  return fmt::format("hidden {} {} steps {} batch {} lr {} decay {}", fmt::join(hidden, "x"),
                     models::mlp_activations()[static_cast<std::size_t>(activation)], steps,
                     batch_size, lr, weight_decay);
}

models::Mlp network(const Recipe& recipe, Index inputs) {
  models::MlpConfig config;
  config.widths = {inputs};
  config.widths.insert(config.widths.end(), recipe.hidden.begin(), recipe.hidden.end());
  config.widths.push_back(1);
  config.activation = recipe.activation;
  // Twice the variance makes up for the half that ReLU drops; a polynomial of it in
  // several layers would blow up instead.
  if (models::polynomial_degree(recipe.activation) > 0) config.gain = 1;
  return models::Mlp(config);
}

std::vector<double> Fit::predictions(const Samples& samples) const {
  const Vector<float> x = to_float(samples.x);
  auto workspace = mlp.make_workspace<float>(std::min(kPredictionRows, samples.rows));
  std::vector<double> y;
  for (Index first = 0; first < samples.rows; first += kPredictionRows) {
    const Index count = std::min(kPredictionRows, samples.rows - first);
    mlp.forward(parameters.data(), count, x.data() + first * samples.dim, workspace);
    for (Index r = 0; r < count; ++r) y.push_back(static_cast<double>(workspace.output[r]));
  }
  return y;
}

Fit fit(const Recipe& recipe, const Samples& samples, std::uint64_t seed, Monitor& monitor,
        const std::string& label, Numbers& spent, const FitOptions& options) {
  Fit result{network(recipe, samples.dim), {}};
  const models::Mlp& mlp = result.mlp;
  if (options.start != nullptr) {
    result.parameters = *options.start;
  } else {
    nn::initialise(mlp.layout(), seed, result.parameters);
  }
  const Vector<float> x = to_float(samples.x);
  const Vector<float> y = to_float(samples.y);
  const Index dim = samples.dim;
  const bool whole = recipe.batch_size >= samples.rows;
  const Index rows = whole ? samples.rows : static_cast<Index>(recipe.batch_size);
  Vector<float> batch_x(rows * dim), batch_y(rows);
  auto workspace = mlp.make_workspace<float>(rows);
  const train::GradientFunction gradient = [&](std::int64_t step, const float* parameters,
                                               float* gradients) {
    if (options.look_every > 0 && step % options.look_every == 0) {
      options.look(step, result.parameters);
    }
    if (whole) {
      return mlp.forward_backward(parameters, rows, x.data(), y.data(), workspace, gradients,
                                  options.first_layer);
    }
    Stream stream(seed, "approx.batch", static_cast<std::uint64_t>(step));
    for (Index r = 0; r < rows; ++r) {
      const Index from = static_cast<Index>(stream.below(static_cast<std::uint64_t>(samples.rows)));
      std::copy_n(x.data() + from * dim, dim, batch_x.data() + r * dim);
      batch_y[r] = y[from];
    }
    return mlp.forward_backward(parameters, rows, batch_x.data(), batch_y.data(), workspace,
                                gradients, options.first_layer);
  };
  train::OptimizerConfig optimizer;
  optimizer.steps = recipe.steps;
  optimizer.lr = recipe.lr;
  optimizer.min_lr = 0;
  optimizer.warmup = std::min<std::int64_t>(50, recipe.steps / 10);
  optimizer.weight_decay = recipe.weight_decay;
  SparseMonitor sparse(monitor);
  train::run_training(mlp.layout(), optimizer, gradient, result.parameters, sparse, label);
  if (options.look_every > 0) options.look(recipe.steps, result.parameters);
  const double trained_rows = static_cast<double>(recipe.steps * rows);
  spent[kRows] += trained_rows;
  spent[kFlops] += trained_rows * mlp.flops_per_row();
  return result;
}

Index parameter_count(const std::vector<Index>& hidden, Index inputs) {
  Index count = 0;
  Index in = inputs;
  for (const Index width : hidden) {
    count += (in + 1) * width;
    in = width;
  }
  return count + in + 1;
}

std::vector<Index> hidden_layers(Index depth, Index inputs, Index parameters) {
  const auto layers = [&](Index width) {
    return std::vector<Index>(static_cast<std::size_t>(depth), width);
  };
  Index width = 1;
  while (parameter_count(layers(width + 1), inputs) <= parameters) ++width;
  return layers(width);
}

}  // namespace xfq::experiments::approx

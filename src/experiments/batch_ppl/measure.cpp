#include "measure.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "../runs.h"
#include "xfq/core/error.h"

namespace xfq::experiments::batch_ppl {

namespace {

using corpus::SplitName;

// Batch numbers of the training stream that no run reaches: fresh rows for measurements.
constexpr std::uint64_t kNoiseBatch = std::uint64_t{1} << 40;
constexpr std::uint64_t kHessianBatch = std::uint64_t{1} << 41;
constexpr std::uint64_t kAccumulationBatch = std::uint64_t{1} << 42;

constexpr Index kNoiseUnit = 4;
// Units of the big batch of a pair: the whole sample has this many of them.
constexpr Index kBigBatches = 8;
constexpr std::int64_t kSubsets = 200;
constexpr Index kHessianSequences = 16;
constexpr double kHessianTolerance = 0.02;
// Length of a run to the target, in lengths of the first seed's.
constexpr double kTargetLength = 1.5;
constexpr int kTimedUpdates = 5;

/// None for what a run that fell apart leaves behind.
std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

/// Rows of the training split as one batch.
struct Rows {
  std::vector<std::int32_t> inputs, targets;
  models::TokenBatch batch;

  Rows(const corpus::LanguageData& data, std::uint64_t seed, std::uint64_t number, Index count)
      : inputs(static_cast<std::size_t>(count * data.row_length())), targets(inputs.size()) {
    data.sample_batch(seed, number, count, inputs.data(), targets.data());
    batch = {count, data.row_length(), inputs.data(), targets.data(), nullptr};
  }
};

/// None where the weights give no finite gradient.
std::optional<NoisePoint> measure_noise(const Options& options, const models::Decoder& decoder,
                                        const corpus::LanguageData& data, const Setting& setting,
                                        const train::OptimizerConfig& optimizer,
                                        const Snapshot& snapshot) {
  const std::uint64_t seed = static_cast<std::uint64_t>(options.seed + setting.seed);
  const Index units = options.noise_sequences / kNoiseUnit;
  const train::GradientSample sample = train::sample_gradients(
      decoder, snapshot.parameters, data, seed,
      kNoiseBatch + static_cast<std::uint64_t>(snapshot.updates), units, kNoiseUnit);
  const train::GradientNoise noise(sample);
  NoisePoint point;
  point.updates = snapshot.updates;
  point.nll = train::evaluate_decoder(decoder, snapshot.parameters.data(), data,
                                      SplitName::validation, options.evaluation_rows)
                  .mean();
  point.exact = noise.exact();
  if (!std::isfinite(point.nll) || !std::isfinite(point.exact.trace)) return std::nullopt;
  point.two_batch = noise.two_batch(units / kBigBatches, options.noise_pairs, seed);
  point.independent = noise.variance_with_replacement();
  point.finite = noise.variance_without_replacement(kSubsets, seed);
  point.cosines = noise.cosines();
  point.update_cosines = noise.update_cosines(train::optimizer_update(
      optimizer, snapshot.updates, snapshot.first_moment, snapshot.second_moment));
  return point;
}

std::optional<double> noise_at(const std::vector<NoisePoint>& noise, double target) {
  for (std::size_t i = 1; i < noise.size(); ++i) {
    const NoisePoint &before = noise[i - 1], &after = noise[i];
    if (!(before.nll > target && after.nll <= target)) continue;
    if (!before.exact.b_simple || !after.exact.b_simple) return std::nullopt;
    const double share = (before.nll - target) / (before.nll - after.nll);
    return std::exp((1 - share) * std::log(*before.exact.b_simple) +
                    share * std::log(*after.exact.b_simple));
  }
  return std::nullopt;
}

train::Eigenvalue sharpness_at(const Options& options, const models::Decoder& decoder,
                               const corpus::LanguageData& data, const Vector<float>& parameters,
                               Monitor& monitor, const std::string& label) {
  const Rows rows(data, static_cast<std::uint64_t>(options.seed), kHessianBatch, kHessianSequences);
  auto workspace = decoder.make_workspace<Dual<float>>(kHessianSequences, data.row_length());
  return train::largest_eigenvalue(
      parameters.size(),
      [&](const Vector<float>& v, Vector<float>& product) {
        stop_if_asked(monitor, label);
        train::hessian_vector_product(decoder, parameters, rows.batch, v, workspace, product);
      },
      static_cast<std::uint64_t>(options.seed), kHessianTolerance, options.hessian_products);
}

/// The last half, quarter and two eighths of the sequences at B, f B, f^2 B and f^3 B.
std::vector<Stage> growing_stages(std::int64_t sequences, std::int64_t batch, std::int64_t factor,
                                  std::int64_t* updates) {
  std::vector<Stage> stages;
  *updates = 0;
  for (const std::int64_t divisor : {2, 4, 8, 8}) {
    stages.push_back({*updates, batch});
    *updates += std::max<std::int64_t>(1, sequences / divisor / batch);
    batch *= factor;
  }
  return stages;
}

std::vector<Remedy> measure_remedies(const Options& options, const models::Decoder& decoder,
                                     const corpus::LanguageData& data, const Sweep& sweep,
                                     Index seed, train::ModelCache* cache, Monitor& monitor,
                                     std::int64_t* sequences) {
  // Halving the rate of Adam is as quadrupling the batch, by the square-root rule (Malladi
  // et al. 2022); for SGD as doubling it (Smith et al. 2018).
  const bool adam = options.optimizer == "adamw";
  const std::int64_t factor = adam ? 4 : 2;
  // So small that the last stage still has two updates.
  const std::int64_t batch =
      std::max<std::int64_t>(1, options.sequences / 16 / (factor * factor * factor));
  const double ratio = static_cast<double>(batch) / static_cast<double>(options.batch_size);
  const double base = sweep.rate(0, options.batch_size, sweep.main_budget());

  std::vector<Remedy> remedies;
  for (const char* name : {"constant", "halving", "growing"}) {
    const std::string label = fmt::format("{} seed {}", name, options.seed + seed);
    TrajectoryPlan plan;
    plan.training = options.training(decoder.config(), seed);
    plan.training.batch_size = batch;
    train::OptimizerConfig& optimizer = plan.training.optimizer;
    optimizer.kind = options.optimizer;
    optimizer.momentum = options.momentum;
    optimizer.lr = base * (adam ? std::sqrt(ratio) : ratio);
    optimizer.schedule = std::string(name) == "halving" ? "halving" : "constant";
    optimizer.beta2 = std::pow(options.beta2, ratio);
    optimizer.steps = std::max<std::int64_t>(1, options.sequences / batch);
    if (std::string(name) == "growing") {
      plan.stages = growing_stages(options.sequences, batch, factor, &optimizer.steps);
    }
    plan.rows = options.evaluation_rows;
    plan.points = plan.ends = {optimizer.steps};
    const Trajectory trajectory = run_trajectory(plan, decoder, data, cache, monitor, label);
    *sequences += trajectory.sequences;
    Remedy remedy{name, optimizer.steps, std::nullopt};
    if (const Point* end = trajectory.at(optimizer.steps)) remedy.nll = finite(end->nll);
    remedies.push_back(remedy);
  }
  return remedies;
}

}  // namespace

void want_final_runs(const Options& options, Sweep& sweep) {
  const std::size_t arms = options.arms().size();
  for (Index seed = 0; seed < options.seeds; ++seed) {
    for (const std::int64_t batch : options.batch_sizes) {
      for (std::size_t a = 0; a < arms; ++a) {
        for (const std::string& budget : options.budget) {
          sweep.want(sweep.setting(a, batch, budget, seed), sweep.updates(budget, batch), false);
        }
      }
      const auto first =
          updates_to(sweep.get(sweep.setting(0, batch, kTarget, 0)), sweep.target(), &Point::nll);
      if (!first || seed == 0) continue;
      sweep.want(sweep.setting(0, batch, kTarget, seed),
                 static_cast<std::int64_t>(std::ceil(kTargetLength * *first)), true);
    }
  }
}

SeedResult measure(const Options& options, const models::Decoder& decoder,
                   const corpus::LanguageData& data, const Sweep& sweep, Index seed,
                   train::ModelCache* cache, Monitor& monitor) {
  const std::string label = fmt::format("seed {}", options.seed + seed);
  SeedResult result;
  result.seed = static_cast<std::uint64_t>(options.seed + seed);
  const std::size_t arms = options.arms().size();
  for (const std::int64_t batch : options.batch_sizes) {
    for (std::size_t a = 0; a < arms; ++a) {
      for (const std::string& budget : options.budget) {
        const Setting setting = sweep.setting(a, batch, budget, seed);
        Cell cell{a,          batch,         budget, sweep.updates(budget, batch),
                  setting.lr, setting.beta2, {},     {}};
        if (const Point* point = sweep.get(setting).at(cell.updates)) {
          cell.nll = finite(point->nll);
          if (point->train_nll) cell.train_nll = finite(*point->train_nll);
        }
        result.cells.push_back(cell);
      }
    }
  }

  std::vector<double> batches, steps;
  for (const std::int64_t batch : options.batch_sizes) {
    const Setting setting = sweep.setting(0, batch, kTarget, seed);
    TargetPoint point{batch, setting.lr, {}};
    if (sweep.has(setting)) {
      point.updates = updates_to(sweep.get(setting), sweep.target(), &Point::nll);
    }
    if (point.updates) {
      batches.push_back(static_cast<double>(batch));
      steps.push_back(*point.updates);
    }
    result.target.push_back(point);
  }
  result.trade_off = fit_trade_off(batches, steps);

  const Setting reference = sweep.setting(0, options.batch_size, sweep.main_budget(), seed);
  train::OptimizerConfig optimizer = options.training(decoder.config(), seed).optimizer;
  optimizer.kind = options.optimizer;
  optimizer.momentum = options.momentum;
  optimizer.beta2 = reference.beta2;
  for (const Snapshot& snapshot : sweep.get(reference).snapshots) {
    stop_if_asked(monitor, label);
    auto point = measure_noise(options, decoder, data, reference, optimizer, snapshot);
    if (point) result.noise.push_back(std::move(*point));
  }
  result.noise_at_target = noise_at(result.noise, sweep.target());

  for (const std::int64_t batch : options.batch_sizes) {
    if (options.hessian_products == 0) break;
    const Setting setting = sweep.setting(0, batch, sweep.main_budget(), seed);
    Sharpness sharpness{batch, setting.lr, {}};
    const std::int64_t end = sweep.updates(sweep.main_budget(), batch);
    for (const Snapshot& snapshot : sweep.get(setting).snapshots) {
      if (snapshot.updates != end) continue;
      const train::Eigenvalue found =
          sharpness_at(options, decoder, data, snapshot.parameters, monitor, label);
      if (finite(found.value) && finite(found.residual)) sharpness.eigenvalue = found;
    }
    result.sharpness.push_back(sharpness);
  }

  result.remedies =
      measure_remedies(options, decoder, data, sweep, seed, cache, monitor, &result.sequences);
  // The last weights with a finite gradient; the first weights always have one.
  for (const Snapshot& snapshot : sweep.get(reference).snapshots) {
    if (result.noise.empty() || snapshot.updates != result.noise.back().updates) continue;
    const Rows rows(data, result.seed, kAccumulationBatch, options.batch_size);
    const Index part = std::max<Index>(1, options.batch_size / 4);
    result.accumulation.check =
        train::check_accumulation(decoder, snapshot.parameters, rows.batch, part);
    result.accumulation.mean_of_means =
        train::mean_of_means_error(decoder, snapshot.parameters, rows.batch, part);
  }
  return result;
}

std::vector<UpdateTime> time_updates(const Options& options, const models::Decoder& decoder,
                                     const corpus::LanguageData& data) {
  std::vector<UpdateTime> result;
  train::OptimizerConfig config = options.training(decoder.config(), 0).optimizer;
  config.kind = options.optimizer;
  config.momentum = options.momentum;
  config.schedule = "constant";
  config.lr = 1e-6;  // the time does not depend on it, and no rate of the user's may diverge here
  config.weight_decay = 0;
  Vector<float> parameters, gradients = nn::make_parameters<float>(decoder.layout());
  nn::initialise(decoder.layout(), static_cast<std::uint64_t>(options.seed), parameters);
  for (const std::int64_t batch : options.batch_sizes) {
    auto workspace = decoder.make_workspace<float>(batch, data.row_length());
    train::Optimizer optimizer(decoder.layout(), config);
    std::vector<double> times;
    for (int i = 0; i < kTimedUpdates; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const Rows rows(data, static_cast<std::uint64_t>(options.seed),
                      kHessianBatch + static_cast<std::uint64_t>(i), batch);
      gradients.setZero();
      decoder.forward_backward(parameters.data(), rows.batch, workspace, gradients.data());
      optimizer.step(i, parameters, gradients);
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - begin;
      times.push_back(took.count());
    }
    std::sort(times.begin(), times.end());
    result.push_back({batch, times[times.size() / 2]});
  }
  return result;
}

}  // namespace xfq::experiments::batch_ppl

#include "trajectory.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/core/value.h"
#include "xfq/train/loop.h"
#include "xfq/train/weight_average.h"

namespace xfq::experiments::batch_ppl {

namespace {

using corpus::SplitName;

constexpr const char* kDivergedAt = "diverged_at";
constexpr Index kColumns = 3;  // selection, reported, training part (NaN: not measured)

bool contains(const std::vector<std::int64_t>& sorted, std::int64_t value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

std::int64_t batch_of(const TrajectoryPlan& plan, std::int64_t step) {
  std::int64_t batch = plan.training.batch_size;
  for (const Stage& stage : plan.stages) {
    if (step >= stage.begin) batch = stage.batch_size;
  }
  return batch;
}

std::int64_t largest_batch(const TrajectoryPlan& plan) {
  std::int64_t batch = plan.training.batch_size;
  for (const Stage& stage : plan.stages) batch = std::max(batch, stage.batch_size);
  return batch;
}

std::int64_t sequences_after(const TrajectoryPlan& plan, std::int64_t updates) {
  std::int64_t sequences = 0;
  for (std::int64_t step = 0; step < updates; ++step) sequences += batch_of(plan, step);
  return sequences;
}

void add_split(const corpus::LanguageSplit& split, Hasher& hasher) {
  hasher.add_bytes(split.tokens.data(), split.tokens.size() * sizeof(std::int32_t));
}

std::string key_of(const TrajectoryPlan& plan, const corpus::LanguageData& data) {
  Hasher h;
  // Raise the number when the same plan gives other values.
  h.add("batch-ppl/1").add(train::training_key(plan.training, data));
  h.add(plan.average).add(plan.rows);
  for (const Stage& stage : plan.stages) h.add(stage.begin).add(stage.batch_size);
  for (const auto* list : {&plan.points, &plan.ends, &plan.snapshots}) {
    h.add(static_cast<std::int64_t>(list->size()));
    for (const std::int64_t updates : *list) h.add(updates);
  }
  add_split(data.split(SplitName::validation), h);
  add_split(data.split(SplitName::test), h);
  return h.hex();
}

models::Tensor tensor(const std::string& name, std::vector<float> values) {
  return {name, {static_cast<Index>(values.size())}, std::move(values)};
}

models::Tensor tensor(const std::string& name, const Vector<float>& values) {
  return tensor(name, std::vector<float>(values.begin(), values.end()));
}

std::string snapshot_name(std::int64_t updates, const char* what) {
  return "snapshot." + std::to_string(updates) + "." + what;
}

/// The losses as they are stored: a run from the cache has the same bits.
using Losses = std::vector<float>;

Losses measure(const models::Decoder& decoder, const Vector<float>& weights,
               const corpus::LanguageData& data, std::int64_t rows, bool training_part) {
  const auto loss = [&](SplitName split) {
    return static_cast<float>(
        train::evaluate_decoder(decoder, weights.data(), data, split, rows).mean());
  };
  return {loss(SplitName::test), loss(SplitName::validation),
          training_part ? loss(SplitName::train) : std::numeric_limits<float>::quiet_NaN()};
}

void add_point(const TrajectoryPlan& plan, std::int64_t updates, const float* losses,
               Trajectory& trajectory) {
  Point point;
  point.updates = updates;
  point.sequences = sequences_after(plan, updates);
  point.selection_nll = static_cast<double>(losses[0]);
  point.nll = static_cast<double>(losses[1]);
  if (contains(plan.ends, updates)) point.train_nll = static_cast<double>(losses[2]);
  trajectory.points.push_back(point);
}

const std::vector<float>& values(const models::TensorFile& file, const std::string& name) {
  const models::Tensor* found = file.find(name);
  if (found == nullptr) throw_input("model cache: an entry has no tensor '" + name + "'");
  return found->values;
}

models::TensorFile to_file(const Trajectory& trajectory) {
  models::TensorFile file;
  Losses losses;
  for (const Point& point : trajectory.points) {
    losses.push_back(static_cast<float>(point.selection_nll));
    losses.push_back(static_cast<float>(point.nll));
    losses.push_back(static_cast<float>(point.train_nll.value_or(0)));
  }
  file.tensors.push_back(tensor("losses", std::move(losses)));
  for (const Snapshot& snapshot : trajectory.snapshots) {
    const auto add = [&](const char* what, const Vector<float>& numbers) {
      file.tensors.push_back(tensor(snapshot_name(snapshot.updates, what), numbers));
    };
    add("parameters", snapshot.parameters);
    add("first_moment", snapshot.first_moment);
    add("second_moment", snapshot.second_moment);
  }
  file.metadata.emplace_back(kDivergedAt, std::to_string(trajectory.diverged_at.value_or(0)));
  return file;
}

Trajectory from_file(const models::TensorFile& file, const TrajectoryPlan& plan) {
  Trajectory trajectory;
  const std::string* diverged = file.find_metadata(kDivergedAt);
  if (diverged == nullptr) throw_input("model cache: an entry does not say whether it diverged");
  const std::int64_t failed = std::strtoll(diverged->c_str(), nullptr, 10);
  if (failed > 0) trajectory.diverged_at = failed;
  const Losses& losses = values(file, "losses");
  const std::size_t count = losses.size() / kColumns;
  if (count > plan.points.size() || (failed == 0 && count != plan.points.size())) {
    throw_input("model cache: an entry has another number of points");
  }
  for (std::size_t i = 0; i < count; ++i) {
    add_point(plan, plan.points[i], losses.data() + i * kColumns, trajectory);
  }
  for (const std::int64_t updates : plan.snapshots) {
    if (failed > 0 && updates >= failed) break;
    const auto read = [&](const char* what) {
      const std::vector<float>& numbers = values(file, snapshot_name(updates, what));
      return Vector<float>(ConstVectorMap<float>(numbers.data(), Index(numbers.size())));
    };
    trajectory.snapshots.push_back(
        {updates, read("parameters"), read("first_moment"), read("second_moment")});
  }
  return trajectory;
}

Trajectory train(const TrajectoryPlan& plan, const models::Decoder& decoder,
                 const corpus::LanguageData& data, Monitor& monitor, const std::string& label) {
  const train::LanguageTraining& training = plan.training;
  const std::int64_t time = data.row_length(), most = largest_batch(plan);
  std::vector<std::int32_t> inputs(static_cast<std::size_t>(most * time)), targets(inputs.size());
  auto workspace = decoder.make_workspace<float>(most, time);
  const train::GradientFunction gradient = [&](std::int64_t step, const float* parameters,
                                               float* gradients) {
    const std::int64_t batch = batch_of(plan, step);
    data.sample_batch(training.seed, static_cast<std::uint64_t>(step), batch, inputs.data(),
                      targets.data());
    const models::TokenBatch tokens{batch, time, inputs.data(), targets.data(), nullptr};
    return decoder.forward_backward(parameters, tokens, workspace, gradients);
  };

  Trajectory trajectory;
  Vector<float> parameters;
  nn::initialise(decoder.layout(), training.seed, parameters);
  const Vector<float> none = nn::make_parameters<float>(decoder.layout());
  if (contains(plan.snapshots, 0)) trajectory.snapshots.push_back({0, parameters, none, none});
  train::WeightAverage average(plan.average);
  const train::AfterStep after = [&](std::int64_t updates, const Vector<float>& weights,
                                     const train::Optimizer& optimizer) {
    average.add(updates, weights);
    trajectory.sequences += batch_of(plan, updates - 1);
    if (contains(plan.points, updates)) {
      const Losses losses =
          measure(decoder, average.weights(), data, plan.rows, contains(plan.ends, updates));
      add_point(plan, updates, losses.data(), trajectory);
    }
    if (contains(plan.snapshots, updates)) {
      trajectory.snapshots.push_back(
          {updates, weights, optimizer.first_moment(), optimizer.second_moment()});
    }
  };
  std::int64_t finished = 0;
  try {
    train::run_training(
        decoder.layout(), training.optimizer, gradient, parameters, monitor, label,
        [&](std::int64_t updates, const Vector<float>& weights, const train::Optimizer& optimizer) {
          finished = updates;
          after(updates, weights, optimizer);
        });
  } catch (const train::Diverged&) {
    // A rate that is too high is a finding of this experiment, not its end.
    trajectory.diverged_at = finished + 1;
  }
  return trajectory;
}

}  // namespace

const Point* Trajectory::at(std::int64_t updates) const {
  for (const Point& point : points) {
    if (point.updates == updates) return &point;
  }
  return nullptr;
}

Trajectory run_trajectory(const TrajectoryPlan& plan, const models::Decoder& decoder,
                          const corpus::LanguageData& data, train::ModelCache* cache,
                          Monitor& monitor, const std::string& label) {
  if (!cache) return train(plan, decoder, data, monitor, label);
  const std::string key = key_of(plan, data);
  const auto lock = cache->lock(key);
  std::optional<Trajectory> cached;
  cache->load(key, [&](const models::TensorFile& file) { cached = from_file(file, plan); });
  if (cached) return std::move(*cached);
  Trajectory trajectory = train(plan, decoder, data, monitor, label);
  cache->store(key, to_file(trajectory));
  return trajectory;
}

}  // namespace xfq::experiments::batch_ppl

// One training run, its losses along the way, and its cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/train/language.h"
#include "xfq/train/model_cache.h"

namespace xfq::experiments::batch_ppl {

/// Updates from `begin` on take `batch_size` sequences.
struct Stage {
  std::int64_t begin = 0;
  std::int64_t batch_size = 0;
};

struct TrajectoryPlan {
  train::LanguageTraining training;     ///< optimizer.steps is the length
  std::vector<Stage> stages;            ///< empty: training.batch_size throughout
  double average = 0;                   ///< share of train::WeightAverage
  std::int64_t rows = 0;                ///< evaluated rows of each part
  std::vector<std::int64_t> points;     ///< updates at which losses are measured, increasing
  std::vector<std::int64_t> ends;       ///< those of them at which the training part is, too
  std::vector<std::int64_t> snapshots;  ///< updates at which weights are kept, increasing; 0: first
};

/// Mean losses in nats per token of the averaged weights.
struct Point {
  std::int64_t updates = 0;
  std::int64_t sequences = 0;
  double selection_nll = 0;         ///< on the part that learning rates are chosen on
  double nll = 0;                   ///< on the part that is reported
  std::optional<double> train_nll;  ///< on rows that were trained on
};

/// The weights themselves, not their average.
struct Snapshot {
  std::int64_t updates = 0;
  Vector<float> parameters;
  Vector<float> first_moment, second_moment;  ///< of the optimizer
};

struct Trajectory {
  std::vector<Point> points;  ///< those before the run diverged
  std::vector<Snapshot> snapshots;
  std::optional<std::int64_t> diverged_at;  ///< the update that failed, from 1
  std::int64_t sequences = 0;               ///< trained on; 0 when the run came from the cache

  /// The point after `updates` updates; nullptr when the run diverged before.
  const Point* at(std::int64_t updates) const;
};

/// Trains or loads. The part that is reported is the validation split; learning rates
/// are chosen on the test split.
Trajectory run_trajectory(const TrajectoryPlan& plan, const models::Decoder& decoder,
                          const corpus::LanguageData& data, train::ModelCache* cache,
                          Monitor& monitor, const std::string& label);

}  // namespace xfq::experiments::batch_ppl

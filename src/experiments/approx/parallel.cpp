// Part parallel: the same function on any number of threads, and how much faster.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "../numbers.h"
#include "claims.h"
#include "parts.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/models/mlp.h"
#include "xfq/stats/claims.h"
#include "xfq/train/pool.h"

namespace xfq::experiments::approx {

namespace {

constexpr Index kInputs = 64;
constexpr Index kHidden = 256;
constexpr Index kRowsOfBatch = 4096;
constexpr Index kBatches[] = {1, 8, 64, 512, 4096};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The serial share s that fits T(p) / T(1) = s + (1 - s) / p (Amdahl 1967) best.
std::optional<double> serial_share(const std::vector<std::int64_t>& workers,
                                   const std::vector<double>& times) {
  double above = 0, below = 0;
  for (std::size_t i = 1; i < workers.size(); ++i) {
    const double ideal = 1 / static_cast<double>(workers[i]);
    above += (times[i] / times[0] - ideal) * (1 - ideal);
    below += (1 - ideal) * (1 - ideal);
  }
  if (below == 0) return std::nullopt;
  return above / below;
}

class Parallel : public Part {
 public:
  explicit Parallel(const Options& options)
      : options_(options), workers_{1}, mlp_(config()), parameters_(), x_(kRowsOfBatch * kInputs) {
    for (const std::int64_t p : options.workers) {
      if (p > 1) workers_.push_back(p);
    }
    std::sort(workers_.begin(), workers_.end());
    nn::initialise(mlp_.layout(), static_cast<std::uint64_t>(options.common.seed), parameters_);
    Stream stream(static_cast<std::uint64_t>(options.common.seed), "approx.parallel");
    for (float& value : x_) value = static_cast<float>(stream.normal());
  }

  std::string name() const override { return "parallel"; }
  std::vector<Job> jobs(std::uint64_t) const override { return {}; }

  Text fill(const std::vector<SeedNumbers>&, Monitor& monitor, Record& record) const override {
    ParallelNumbers numbers;
    const std::vector<float> alone = outputs(1);
    Table table{"parallel", {"threads", "output_difference"}, {}};
    for (const std::int64_t p : workers_) {
      const std::vector<float> together = outputs(p);
      double worst = 0;
      for (std::size_t i = 0; i < alone.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(together[i]) - alone[i]));
      }
      numbers.output_difference = std::max(numbers.output_difference, worst);
      table.rows.push_back({p, worst});
    }
    record.tables.push_back(std::move(table));
    numbers.work_over_span = work_over_span();
    record.metrics.push_back(
        exact_metric("parallel.output_difference", "", Better::lower, numbers.output_difference));
    record.metrics.push_back(
        exact_metric("parallel.work_over_span", "", Better::higher, numbers.work_over_span));
    record.claims.push_back(parallelism(numbers));
    measure_time(monitor, record);
    if (numbers.output_difference > 0) {
      return phrase("On {} threads the outputs differ from those on one, by up to {:.1g}.",
                    {workers_.back(), numbers.output_difference});
    }
    return phrase(
        "On {} threads and on one the outputs are the same to the bit: parallel computation gives "
        "speed (a batch of {} holds independent work for about {:.0e} processors; measured times "
        "stand under cost) and no power to represent.",
        {workers_.back(), kRowsOfBatch, numbers.work_over_span});
  }

 private:
  static models::MlpConfig config() {
    models::MlpConfig config;
    config.widths = {kInputs, kHidden, kHidden, 1};
    return config;
  }

  /// Operations of one forward pass over the chain of them that must wait for each
  /// other: per layer a product, a tree of sums, a bias and an activation.
  double work_over_span() const {
    double work = 0, span = 0;
    for (const nn::Linear& layer : mlp_.layers()) {
      work +=
          static_cast<double>(kRowsOfBatch * layer.out) * (2 * static_cast<double>(layer.in) + 1);
      span += 3 + std::ceil(std::log2(static_cast<double>(layer.in)));
    }
    return work / span;
  }

  /// One forward pass over the batch, its rows shared out among p threads.
  void run(std::int64_t p, std::vector<models::MlpWorkspace<float>>& workspaces) const {
    const Index part = (kRowsOfBatch + p - 1) / p;
    train::run_pool_or_throw(p, p, [&](Index i) {
      const Index first = std::min(kRowsOfBatch, i * part);
      const Index rows = std::min(part, kRowsOfBatch - first);
      if (rows == 0) return;
      mlp_.forward(parameters_.data(), rows, x_.data() + first * kInputs,
                   workspaces[static_cast<std::size_t>(i)]);
    });
  }

  std::vector<models::MlpWorkspace<float>> workspaces_for(std::int64_t p) const {
    std::vector<models::MlpWorkspace<float>> workspaces;
    for (std::int64_t i = 0; i < p; ++i) {
      workspaces.push_back(mlp_.make_workspace<float>((kRowsOfBatch + p - 1) / p));
    }
    return workspaces;
  }

  std::vector<float> outputs(std::int64_t p) const {
    auto workspaces = workspaces_for(p);
    run(p, workspaces);
    const Index part = (kRowsOfBatch + p - 1) / p;
    std::vector<float> y;
    for (std::int64_t i = 0; i < p; ++i) {
      const Index rows = std::min(part, kRowsOfBatch - std::min(kRowsOfBatch, i * part));
      const float* output = workspaces[static_cast<std::size_t>(i)].output.data();
      y.insert(y.end(), output, output + rows);
    }
    return y;
  }

  /// Thread counts take turns, so that what else the machine does hits all of them alike.
  void measure_time(Monitor& monitor, Record& record) const {
    std::vector<std::vector<models::MlpWorkspace<float>>> workspaces;
    for (const std::int64_t p : workers_) {
      workspaces.push_back(workspaces_for(p));
      run(p, workspaces.back());
    }
    std::vector<std::vector<double>> times(workers_.size());
    std::vector<double> shares;
    for (std::int64_t repeat = 0; repeat < options_.repeats; ++repeat) {
      if (monitor.stop_requested()) break;
      std::vector<double> now;
      for (std::size_t i = 0; i < workers_.size(); ++i) {
        const auto start = std::chrono::steady_clock::now();
        run(workers_[i], workspaces[i]);
        now.push_back(seconds_since(start));
        times[i].push_back(now.back());
      }
      if (const auto share = serial_share(workers_, now)) shares.push_back(*share);
    }
    Table table{"parallel_times", {"threads", "repeat", "seconds"}, {}};
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      for (std::size_t r = 0; r < times[i].size(); ++r) {
        table.rows.push_back({workers_[i], static_cast<std::int64_t>(r), times[i][r]});
      }
      stats::Estimate speedup = stats::ratio_of_means(times[0], times[i]);
      speedup.over_seeds = false;
      record.cost.measurements.push_back(make_metric(
          fmt::format("parallel.{}.speedup", workers_[i]), "ratio", Better::higher, speedup));
      if (workers_[i] == 2) {
        record.cost.tests.push_back(
            {"approx.parallelism",
             stats::make_test("two threads are half as fast again as one, or faster: speed-up",
                              stats::at_least(1.5), speedup, "speed")
                 .test});
      }
    }
    record.cost.measurements.push_back(
        make_metric("parallel.serial_share", "share", Better::lower, stats::mean_t(shares)));
    record.cost.tables.push_back(std::move(table));
    record.cost.tables.push_back(throughput(monitor));
  }

  Table throughput(Monitor& monitor) const {
    Table table{"throughput", {"batch_size", "repeat", "rows_per_second"}, {}};
    auto workspace = mlp_.make_workspace<float>(kRowsOfBatch);
    for (const Index batch : kBatches) {
      for (std::int64_t repeat = 0; repeat < options_.repeats; ++repeat) {
        if (monitor.stop_requested()) return table;
        // A few hundred rows at least, so that the clock can tell.
        const Index passes = std::max<Index>(1, 512 / batch);
        const auto start = std::chrono::steady_clock::now();
        for (Index i = 0; i < passes; ++i) {
          mlp_.forward(parameters_.data(), batch, x_.data(), workspace);
        }
        table.rows.push_back({static_cast<std::int64_t>(batch), repeat,
                              static_cast<double>(passes * batch) / seconds_since(start)});
      }
    }
    return table;
  }

  const Options& options_;
  std::vector<std::int64_t> workers_;
  models::Mlp mlp_;
  Vector<float> parameters_, x_;
};

}  // namespace

std::unique_ptr<Part> make_parallel(const Options& options) {
  return std::make_unique<Parallel>(options);
}

}  // namespace xfq::experiments::approx

// Every training run of the experiment at a constant rate: which are wanted, which exist,
// and the search for the best learning rate of each batch size.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "options.h"
#include "trajectory.h"

namespace xfq::experiments::batch_ppl {

/// What names a run. Runs of equal settings share one trajectory, read at several points.
struct Setting {
  std::int64_t batch = 0;
  double lr = 0;
  double beta2 = 0;
  Index seed = 0;  ///< 0 ... seeds - 1

  bool operator<(const Setting& o) const {
    return std::tie(batch, lr, beta2, seed) < std::tie(o.batch, o.lr, o.beta2, o.seed);
  }
};

/// What a learning rate is chosen for: a budget, or "target", the fewest steps to it.
using Criterion = std::string;
inline const Criterion kTarget = "target";

/// First crossing of the target on the part that `nll` picks, in updates, linear in the
/// logarithm of updates between two points; none when the run never gets there.
std::optional<double> updates_to(const Trajectory& trajectory, double target, double Point::*nll);

class Sweep {
 public:
  Sweep(const Options& options, const models::Decoder& decoder, const corpus::LanguageData& data,
        train::ModelCache* cache, Monitor& monitor);

  /// Updates that a budget allows at this batch size:
  ///   steps   options.steps
  ///   tokens  options.sequences / B
  ///   time    the cost of `tokens` at the reference batch size over the cost of an update,
  ///           B + update_cost (in gradients of one sequence)
  /// rounded to the nearest, at least 1.
  std::int64_t updates(const std::string& budget, std::int64_t batch) const;
  /// `tokens`, or the first budget where it was not asked for.
  const std::string& main_budget() const { return main_budget_; }
  /// Updates at the reference batch size after which gradient noise is measured.
  const std::vector<std::int64_t>& noise_points() const { return noise_points_; }

  /// Asks for a run that is measured after `end` updates; with `curve`, also along the way.
  void want(const Setting& setting, std::int64_t end, bool curve);
  /// Trains or loads what is wanted and missing. Throws ErrorKind::interrupted.
  void run();
  const Trajectory& get(const Setting& setting) const;
  bool has(const Setting& setting) const { return runs_.count(setting) > 0; }

  /// Finds the rates of all tuned arms on the first seed: at every batch size a grid of
  /// factor 2 around lr sqrt(B / batch_size), extended until the best rate for every
  /// criterion lies inside. Then fixes the target loss.
  void tune();

  /// The rate of an arm. Rules other than `tuned` start from the rate that the first tuned
  /// arm found for the main budget at the reference batch size, or from --lr.
  double rate(std::size_t arm, std::int64_t batch, const Criterion& criterion) const;
  double beta2(std::size_t arm, std::int64_t batch) const;
  Setting setting(std::size_t arm, std::int64_t batch, const Criterion& criterion,
                  Index seed) const;
  /// Best rates at an edge of their grid: "B 4, tokens".
  const std::vector<std::string>& unbracketed() const { return unbracketed_; }
  /// options.target_loss, or 5 % above the loss that every batch size reached in the search.
  double target() const { return target_; }
  /// Sequences trained on, without those from the cache.
  std::int64_t sequences() const { return sequences_; }
  /// Every run of the search: a row for each batch size, beta2 and rate.
  struct Tried {
    std::int64_t batch;
    double beta2, lr;
    const Trajectory* trajectory;
  };
  std::vector<Tried> tried() const;

 private:
  struct Wanted {
    std::set<std::int64_t> ends;
    bool curve = false;
    Trajectory trajectory;
    bool done = false;
  };
  TrajectoryPlan plan(const Setting& setting, const Wanted& wanted) const;
  double grid_rate(std::int64_t batch, int k) const;
  double score(const Criterion& criterion, const Setting& setting) const;
  void search(const std::vector<Criterion>& criteria);

  const Options& options_;
  const models::Decoder& decoder_;
  const corpus::LanguageData& data_;
  train::ModelCache* cache_;
  Monitor& monitor_;
  std::string main_budget_;
  std::vector<std::int64_t> noise_points_;
  std::map<Setting, Wanted> runs_;
  std::vector<Arm> arms_;
  double target_ = 0;
  std::int64_t sequences_ = 0;
  // Grid positions tried so far, and the best by criterion, of (batch, beta2).
  using Place = std::pair<std::int64_t, double>;
  std::map<Place, std::set<int>> tried_;
  std::map<std::pair<Place, Criterion>, int> best_;
  std::vector<std::string> unbracketed_;
};

}  // namespace xfq::experiments::batch_ppl

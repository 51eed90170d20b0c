#include "sweep.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../runs.h"
#include "xfq/core/error.h"

namespace xfq::experiments::batch_ppl {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
// Factor between two points of a curve, and how far back from its end they reach.
constexpr double kPointRatio = 1.3;
constexpr double kCurveRange = 40;
// Most steps of factor 2 from the first guess of a learning rate.
constexpr int kMostHalvings = 6;
constexpr double kTargetMargin = 1.05;

}  // namespace

std::optional<double> updates_to(const Trajectory& trajectory, double target, double Point::*nll) {
  const auto& points = trajectory.points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!(points[i].*nll <= target)) continue;
    const double here = std::log(static_cast<double>(points[i].updates));
    if (i == 0 || !std::isfinite(points[i - 1].*nll)) return std::exp(here);
    const double before = std::log(static_cast<double>(points[i - 1].updates));
    const double share = (points[i - 1].*nll - target) / (points[i - 1].*nll - points[i].*nll);
    return std::exp(before + share * (here - before));
  }
  return std::nullopt;
}

Sweep::Sweep(const Options& options, const models::Decoder& decoder,
             const corpus::LanguageData& data, train::ModelCache* cache, Monitor& monitor)
    : options_(options),
      decoder_(decoder),
      data_(data),
      cache_(cache),
      monitor_(monitor),
      main_budget_(options.has_budget("tokens") ? "tokens" : options.budget.front()),
      arms_(options.arms()),
      target_(options.target_loss) {
  const std::int64_t end = updates(main_budget_, options.batch_size);
  for (const std::int64_t divisor : {0, 16, 8, 4, 2, 1}) {
    const std::int64_t at = divisor == 0 ? 0 : end / divisor;
    if (noise_points_.empty() || at > noise_points_.back()) noise_points_.push_back(at);
  }
}

std::int64_t Sweep::updates(const std::string& budget, std::int64_t batch) const {
  if (budget == "steps") return options_.steps;
  const double sequences = static_cast<double>(options_.sequences);
  const double b = static_cast<double>(batch), reference = static_cast<double>(options_.batch_size);
  double count = sequences / b;
  if (budget == "time") {
    count = sequences / reference * (reference + options_.update_cost) / (b + options_.update_cost);
  }
  return std::max<std::int64_t>(1, std::llround(count));
}

void Sweep::want(const Setting& setting, std::int64_t end, bool curve) {
  Wanted& wanted = runs_[setting];
  const bool known = !wanted.ends.insert(end).second;
  if (known && (wanted.curve || !curve)) return;
  wanted.curve = wanted.curve || curve;
  wanted.done = false;
}

TrajectoryPlan Sweep::plan(const Setting& setting, const Wanted& wanted) const {
  TrajectoryPlan plan;
  plan.training = options_.training(decoder_.config(), setting.seed);
  train::OptimizerConfig& optimizer = plan.training.optimizer;
  plan.training.batch_size = setting.batch;
  optimizer.kind = options_.optimizer;
  optimizer.momentum = options_.momentum;
  optimizer.steps = *wanted.ends.rbegin();
  optimizer.lr = setting.lr;
  optimizer.schedule = "constant";
  optimizer.beta2 = setting.beta2;
  plan.average = options_.average;
  plan.rows = options_.evaluation_rows;
  std::set<std::int64_t> points = wanted.ends;
  if (wanted.curve) {
    const double length = static_cast<double>(optimizer.steps);
    for (double at = length; at >= std::max(1.0, length / kCurveRange); at /= kPointRatio) {
      points.insert(std::llround(at));
    }
  }
  plan.points.assign(points.begin(), points.end());
  plan.ends.assign(wanted.ends.begin(), wanted.ends.end());
  std::set<std::int64_t> snapshots;
  const std::int64_t main_end = updates(main_budget_, setting.batch);
  if (wanted.ends.count(main_end) > 0) {
    snapshots.insert(main_end);
    if (setting.batch == options_.batch_size) {
      snapshots.insert(noise_points_.begin(), noise_points_.end());
    }
  }
  plan.snapshots.assign(snapshots.begin(), snapshots.end());
  return plan;
}

void Sweep::run() {
  // The longest first, so that no thread is left with a long one at the end.
  std::vector<std::pair<const Setting*, Wanted*>> missing;
  for (auto& [setting, wanted] : runs_) {
    if (!wanted.done) missing.emplace_back(&setting, &wanted);
  }
  const auto work = [](const std::pair<const Setting*, Wanted*>& run) {
    return run.first->batch * *run.second->ends.rbegin();
  };
  std::stable_sort(missing.begin(), missing.end(),
                   [&](const auto& a, const auto& b) { return work(a) > work(b); });
  monitor_.plan(static_cast<std::int64_t>(missing.size()));
  const auto results =
      run_jobs<Trajectory>(static_cast<Index>(missing.size()), options_.threads, [&](Index i) {
        const auto& [setting, wanted] = missing[static_cast<std::size_t>(i)];
        const std::string label = fmt::format("B {} lr {:.3g} seed {}", setting->batch, setting->lr,
                                              options_.seed + setting->seed);
        Trajectory trajectory =
            run_trajectory(plan(*setting, *wanted), decoder_, data_, cache_, monitor_, label);
        monitor_.finished(label);
        return trajectory;
      });
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) {
      throw_interrupted("every training run had finished", options_.cache);
    }
    sequences_ += results[i]->sequences;
    missing[i].second->trajectory = *results[i];
    missing[i].second->done = true;
  }
}

const Trajectory& Sweep::get(const Setting& setting) const {
  const auto found = runs_.find(setting);
  XFQ_ASSERT(found != runs_.end() && found->second.done);
  return found->second.trajectory;
}

// --- the search ------------------------------------------------------------------------

double Sweep::grid_rate(std::int64_t batch, int k) const {
  return options_.lr *
         std::sqrt(static_cast<double>(batch) / static_cast<double>(options_.batch_size)) *
         std::ldexp(1.0, k);
}

double Sweep::score(const Criterion& criterion, const Setting& setting) const {
  const Trajectory& trajectory = get(setting);
  if (criterion == kTarget) {
    return updates_to(trajectory, target_, &Point::selection_nll).value_or(kNever);
  }
  const Point* point = trajectory.at(updates(criterion, setting.batch));
  return point == nullptr || !std::isfinite(point->selection_nll) ? kNever : point->selection_nll;
}

void Sweep::search(const std::vector<Criterion>& criteria) {
  std::set<Place> places;
  for (std::size_t a = 0; a < arms_.size(); ++a) {
    if (arms_[a].lr_rule != "tuned") continue;
    for (const std::int64_t batch : options_.batch_sizes) places.insert({batch, beta2(a, batch)});
  }
  bool grown = true;
  while (grown) {
    grown = false;
    for (const Place& place : places) {
      std::set<int>& tried = tried_[place];
      if (tried.empty()) tried = {-1, 0, 1};
      for (const int k : tried) {
        for (const std::string& budget : options_.budget) {
          want({place.first, grid_rate(place.first, k), place.second, 0},
               updates(budget, place.first), true);
        }
      }
    }
    run();
    unbracketed_.clear();
    for (const Place& place : places) {
      std::set<int>& tried = tried_[place];
      std::set<int> wider = tried;
      for (const Criterion& criterion : criteria) {
        int best = *tried.begin();
        double least = kNever;
        for (const int k : tried) {
          const double s =
              score(criterion, {place.first, grid_rate(place.first, k), place.second, 0});
          if (s < least) {
            least = s;
            best = k;
          }
        }
        best_[{place, criterion}] = best;
        const int low = *tried.begin(), high = *tried.rbegin();
        // Where no rate reaches the target, a wider grid would only be a longer search.
        if ((best != low && best != high) || least == kNever) continue;
        const int next = best == low ? low - 1 : high + 1;
        if (std::abs(next) <= kMostHalvings) {
          wider.insert(next);
        } else {
          unbracketed_.push_back(fmt::format("B {}, {}", place.first, criterion));
        }
      }
      if (wider.size() > tried.size()) {
        tried = wider;
        grown = true;
      }
    }
  }
}

void Sweep::tune() {
  search(options_.budget);
  if (arms_[0].lr_rule != "tuned") {
    for (const std::int64_t batch : options_.batch_sizes) {
      for (const std::string& budget : options_.budget) {
        want(setting(0, batch, budget, 0), updates(budget, batch), true);
      }
    }
    run();
  }
  if (target_ == 0) {
    double worst = 0;
    for (const std::int64_t batch : options_.batch_sizes) {
      double best = kNever;
      for (const auto& [setting, wanted] : runs_) {
        if (setting.batch != batch || setting.beta2 != beta2(0, batch)) continue;
        for (const Point& point : wanted.trajectory.points) {
          if (std::isfinite(point.selection_nll)) best = std::min(best, point.selection_nll);
        }
      }
      worst = std::max(worst, best);
    }
    target_ = kTargetMargin * worst;
  }
  if (!std::isfinite(target_)) {
    throw_run("every run of one batch size diverged", "use a lower --lr");
  }
  std::vector<Criterion> criteria = options_.budget;
  criteria.push_back(kTarget);
  search(criteria);
}

std::vector<Sweep::Tried> Sweep::tried() const {
  std::vector<Tried> rows;
  for (const auto& [place, positions] : tried_) {
    for (const int k : positions) {
      const double lr = grid_rate(place.first, k);
      rows.push_back({place.first, place.second, lr, &get({place.first, lr, place.second, 0})});
    }
  }
  return rows;
}

double Sweep::beta2(std::size_t arm, std::int64_t batch) const {
  if (arms_[arm].beta2_rule == "fixed") return options_.beta2;
  return std::pow(options_.beta2,
                  static_cast<double>(batch) / static_cast<double>(options_.batch_size));
}

double Sweep::rate(std::size_t arm, std::int64_t batch, const Criterion& criterion) const {
  const std::string& rule = arms_[arm].lr_rule;
  if (rule == "tuned") {
    return grid_rate(batch, best_.at({{batch, beta2(arm, batch)}, criterion}));
  }
  double base = options_.lr;
  for (std::size_t a = 0; a < arms_.size(); ++a) {
    if (arms_[a].lr_rule != "tuned") continue;
    base = rate(a, options_.batch_size, main_budget_);
    break;
  }
  const double ratio = static_cast<double>(batch) / static_cast<double>(options_.batch_size);
  return base * (rule == "fixed" ? 1 : rule == "sqrt" ? std::sqrt(ratio) : ratio);
}

Setting Sweep::setting(std::size_t arm, std::int64_t batch, const Criterion& criterion,
                       Index seed) const {
  return {batch, rate(arm, batch, criterion), beta2(arm, batch), seed};
}

}  // namespace xfq::experiments::batch_ppl

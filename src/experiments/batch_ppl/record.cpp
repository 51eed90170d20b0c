#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../numbers.h"
#include "xfq/core/error.h"
#include "xfq/stats/correlation.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::batch_ppl {

namespace {

using stats::Estimate;
using stats::mean_t;

/// A number of every seed that has one.
template <class Of>
PerSeed of_seeds(const std::vector<SeedResult>& seeds, const Of& of) {
  PerSeed values;
  for (const SeedResult& seed : seeds) {
    if (const std::optional<double> value = of(seed)) values.push_back(*value);
  }
  return values;
}

/// Geometric mean: the t interval is that of the logarithms.
Estimate geometric(const PerSeed& values) {
  PerSeed logs;
  for (const double value : values) logs.push_back(std::log2(value));
  Estimate estimate = mean_t(logs);
  if (estimate.value) estimate.value = std::exp2(*estimate.value);
  if (estimate.ci) estimate.ci = Interval{std::exp2(estimate.ci->lo), std::exp2(estimate.ci->hi)};
  return estimate;
}

std::optional<double> mean(const PerSeed& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

const Cell* find_cell(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                      const std::string& budget) {
  for (const Cell& cell : seed.cells) {
    if (cell.arm == arm && cell.batch == batch && cell.budget == budget) return &cell;
  }
  return nullptr;
}

std::optional<double> nll_of(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                             const std::string& budget) {
  const Cell* cell = find_cell(seed, arm, batch, budget);
  return cell == nullptr ? std::nullopt : cell->nll;
}

std::optional<double> difference(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

/// Losses of the first arm over batch sizes.
struct Curve {
  std::vector<double> batches, nll;
};

Curve curve_of(const SeedResult& seed, const std::string& budget) {
  Curve curve;
  for (const Cell& cell : seed.cells) {
    if (cell.arm != 0 || cell.budget != budget || !cell.nll) continue;
    curve.batches.push_back(static_cast<double>(cell.batch));
    curve.nll.push_back(*cell.nll);
  }
  return curve;
}

/// y against log2 x; none below two points.
std::optional<double> slope_per_doubling(const std::vector<double>& x,
                                         const std::vector<double>& y) {
  if (x.size() < 2) return std::nullopt;
  std::vector<double> doublings;
  for (const double value : x) doublings.push_back(std::log2(value));
  return stats::linear_fit(doublings, y).slope.value;
}

std::optional<double> best_batch(const SeedResult& seed, const std::string& budget) {
  const Curve curve = curve_of(seed, budget);
  if (curve.nll.empty()) return std::nullopt;
  const auto least = std::min_element(curve.nll.begin(), curve.nll.end());
  return curve.batches[static_cast<std::size_t>(least - curve.nll.begin())];
}

std::int64_t smallest_batch(const Options& options) {
  return *std::min_element(options.batch_sizes.begin(), options.batch_sizes.end());
}

/// The batch size of the list nearest to the critical one, by ratio.
std::int64_t critical_batch(const Options& options, const std::vector<SeedResult>& seeds) {
  const Estimate critical = geometric(of_seeds(seeds, [](const SeedResult& seed) {
    return seed.trade_off ? std::optional<double>(seed.trade_off->critical_batch) : std::nullopt;
  }));
  if (!critical.value) return options.batch_size;
  const auto distance = [&](std::int64_t batch) {
    return std::abs(std::log(static_cast<double>(batch) / *critical.value));
  };
  return *std::min_element(options.batch_sizes.begin(), options.batch_sizes.end(),
                           [&](auto a, auto b) { return distance(a) < distance(b); });
}

/// The arm with rate and beta2 of the reference batch; none when it was not asked for.
std::optional<std::size_t> frozen_arm(const Options& options) {
  const std::vector<Arm> arms = options.arms();
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].lr_rule == "fixed" && arms[a].beta2_rule == "fixed") return a;
  }
  return std::nullopt;
}

// --- what noise says -------------------------------------------------------------------

std::optional<double> variance_slope(const SeedResult& seed) {
  PerSeed slopes;
  for (const NoisePoint& point : seed.noise) {
    std::vector<double> x, y;
    for (const auto& v : point.independent) {
      x.push_back(std::log(static_cast<double>(v.batch)));
      y.push_back(std::log(v.variance));
    }
    if (x.size() < 2) continue;
    if (const auto slope = stats::linear_fit(x, y).slope.value) slopes.push_back(*slope);
  }
  return mean(slopes);
}

std::optional<double> finite_ratio(const SeedResult& seed) {
  PerSeed ratios;
  for (const NoisePoint& point : seed.noise) {
    for (const auto& v : point.finite) ratios.push_back(v.variance / v.expected);
  }
  return mean(ratios);
}

std::optional<double> cosine_r_squared(const SeedResult& seed) {
  PerSeed measured;
  double residual = 0, total = 0;
  for (const NoisePoint& point : seed.noise) {
    for (const auto& c : point.cosines) {
      measured.push_back(c.cosine);
      residual += (c.cosine - c.expected) * (c.cosine - c.expected);
    }
  }
  const auto centre = mean(measured);
  if (!centre) return std::nullopt;
  for (const double value : measured) total += (value - *centre) * (value - *centre);
  return total > 0 ? std::optional<double>(1 - residual / total) : std::nullopt;
}

/// A curve over batch sizes at B_simple, linear in log B; mean over the points of training
/// where B_simple lies inside the curve.
std::optional<double> at_noise_scale(const SeedResult& seed,
                                     std::vector<train::GradientNoise::Cosine> NoisePoint::*curve) {
  PerSeed values;
  for (const NoisePoint& point : seed.noise) {
    if (!point.exact.b_simple) continue;
    const auto& c = point.*curve;
    for (std::size_t i = 1; i < c.size(); ++i) {
      const double lo = static_cast<double>(c[i - 1].batch), hi = static_cast<double>(c[i].batch);
      if (*point.exact.b_simple < lo || *point.exact.b_simple >= hi) continue;
      const double share = std::log(*point.exact.b_simple / lo) / std::log(hi / lo);
      values.push_back((1 - share) * c[i - 1].cosine + share * c[i].cosine);
    }
  }
  return mean(values);
}

std::optional<double> noise_growth(const SeedResult& seed) {
  if (seed.noise.empty()) return std::nullopt;
  const auto first = seed.noise.front().exact.b_simple, last = seed.noise.back().exact.b_simple;
  if (!first || !last) return std::nullopt;
  return *last / *first;
}

std::optional<double> two_batch_ratio(const SeedResult& seed) {
  PerSeed logs;
  for (const NoisePoint& point : seed.noise) {
    const auto two = point.two_batch.b_simple.value;
    if (two && *two > 0 && point.exact.b_simple)
      logs.push_back(std::log(*two / *point.exact.b_simple));
  }
  const auto centre = mean(logs);
  return centre ? std::optional<double>(std::exp(*centre)) : std::nullopt;
}

// --- metrics -----------------------------------------------------------------------------

class Metrics {
 public:
  Metrics(const std::vector<SeedResult>& seeds, Record& record) : seeds_(seeds), record_(record) {}

  using Of = std::function<std::optional<double>(const SeedResult&)>;
  void add(const std::string& id, const std::string& unit, Better better, const Of& of) {
    put(id, unit, better, mean_t(of_seeds(seeds_, of)));
  }
  void add_geometric(const std::string& id, const std::string& unit, Better better, const Of& of) {
    put(id, unit, better, geometric(of_seeds(seeds_, of)));
  }

 private:
  void put(const std::string& id, const std::string& unit, Better better, Estimate estimate) {
    if (!estimate.value && estimate.n == 0) estimate.reason = "no run has it";
    record_.metrics.push_back(make_metric(id, unit, better, estimate));
  }
  const std::vector<SeedResult>& seeds_;
  Record& record_;
};

void fill_noise(Metrics& metrics) {
  const auto at = [](std::size_t (*index)(const SeedResult&)) {
    return [index](const SeedResult& seed) {
      return seed.noise.empty() ? std::nullopt : seed.noise[index(seed)].exact.b_simple;
    };
  };
  metrics.add_geometric("noise.first", "sequences", Better::none,
                        at([](const SeedResult&) { return std::size_t{0}; }));
  metrics.add_geometric("noise.target", "sequences", Better::none,
                        [](const SeedResult& seed) { return seed.noise_at_target; });
  metrics.add_geometric("noise.last", "sequences", Better::none,
                        at([](const SeedResult& seed) { return seed.noise.size() - 1; }));
  metrics.add_geometric("noise.growth", "ratio", Better::none, noise_growth);
  metrics.add_geometric("noise.two_batch_ratio", "ratio", Better::none, two_batch_ratio);
  metrics.add("noise.negative_share", "share", Better::none, [](const SeedResult& seed) {
    PerSeed shares;
    for (const NoisePoint& point : seed.noise) shares.push_back(point.two_batch.negative_share);
    return mean(shares);
  });
  metrics.add("noise.slope", "", Better::none, variance_slope);
  metrics.add("noise.finite_ratio", "ratio", Better::none, finite_ratio);
  metrics.add("noise.cosine_r_squared", "", Better::none, cosine_r_squared);
  metrics.add("noise.cosine_at_b_simple", "", Better::none,
              [](const SeedResult& seed) { return at_noise_scale(seed, &NoisePoint::cosines); });
  metrics.add("noise.update_cosine_at_b_simple", "", Better::none, [](const SeedResult& seed) {
    return at_noise_scale(seed, &NoisePoint::update_cosines);
  });
}

void fill_budgets(const Options& options, Metrics& metrics) {
  for (const std::string& budget : options.budget) {
    metrics.add(budget + ".nll_per_doubling", "nats/token", Better::none,
                [&](const SeedResult& seed) {
                  const Curve curve = curve_of(seed, budget);
                  return slope_per_doubling(curve.batches, curve.nll);
                });
    metrics.add(budget + ".spearman", "", Better::none, [&](const SeedResult& seed) {
      const Curve curve = curve_of(seed, budget);
      return stats::spearman(curve.batches, curve.nll);
    });
    metrics.add_geometric(
        budget + ".perplexity_ratio", "ratio", Better::none, [&](const SeedResult& seed) {
          const auto delta = difference(nll_of(seed, 0, options.largest_batch(), budget),
                                        nll_of(seed, 0, options.batch_size, budget));
          return delta ? std::optional<double>(std::exp(*delta)) : std::nullopt;
        });
    metrics.add_geometric(budget + ".best_batch", "sequences", Better::none,
                          [&](const SeedResult& seed) { return best_batch(seed, budget); });
    metrics.add(budget + ".nll", "nats/token", Better::lower, [&](const SeedResult& seed) {
      return nll_of(seed, 0, options.batch_size, budget);
    });
    metrics.add(budget + ".train_gap", "nats/token", Better::none, [&](const SeedResult& seed) {
      const Cell* cell = find_cell(seed, 0, options.batch_size, budget);
      return cell == nullptr ? std::nullopt : difference(cell->nll, cell->train_nll);
    });
  }
  if (!options.has_budget("tokens")) return;
  metrics.add_geometric("tokens.best_batch_over_noise", "ratio", Better::none,
                        [](const SeedResult& seed) -> std::optional<double> {
                          const auto best = best_batch(seed, "tokens");
                          if (!best || !seed.noise_at_target) return std::nullopt;
                          return *best / *seed.noise_at_target;
                        });
}

void fill_trade_off(const Options& options, const Sweep& sweep,
                    const std::vector<SeedResult>& seeds, Metrics& metrics, Record& record) {
  record.metrics.push_back(exact_metric("target_loss", "nats/token", Better::none, sweep.target()));
  const auto of_fit = [](double TradeOff::*field) {
    return [field](const SeedResult& seed) {
      return seed.trade_off ? std::optional<double>((*seed.trade_off).*field) : std::nullopt;
    };
  };
  metrics.add_geometric("trade_off.critical_batch", "sequences", Better::none,
                        of_fit(&TradeOff::critical_batch));
  metrics.add_geometric("trade_off.least_steps", "updates", Better::none,
                        of_fit(&TradeOff::least_steps));
  metrics.add_geometric("trade_off.least_sequences", "sequences", Better::none,
                        of_fit(&TradeOff::least_sequences));
  metrics.add("trade_off.rms", "log steps", Better::lower, of_fit(&TradeOff::rms));
  metrics.add_geometric("trade_off.noise_ratio", "ratio", Better::none,
                        [](const SeedResult& seed) -> std::optional<double> {
                          if (!seed.trade_off || !seed.noise_at_target) return std::nullopt;
                          return *seed.noise_at_target / seed.trade_off->critical_batch;
                        });
  if (options.arms()[0].lr_rule != "tuned") return;
  // How the best rate grows: one rate for a batch size, found on the first seed.
  std::vector<double> x, y;
  for (const Cell& cell : seeds.front().cells) {
    if (cell.arm != 0 || cell.budget != sweep.main_budget()) continue;
    x.push_back(std::log(static_cast<double>(cell.batch)));
    y.push_back(std::log(cell.lr));
  }
  record.metrics.push_back(
      make_metric("lr.exponent", "", Better::none, stats::linear_fit(x, y).slope));
}

void fill_small_batches(const Options& options, const ClaimNumbers& numbers, Record& record) {
  const auto add = [&](const char* id, const PerSeed& values) {
    if (values.empty()) return;
    record.metrics.push_back(make_metric(id, "nats/token", Better::lower, mean_t(values)));
  };
  add("small_batch.steps", numbers.small_steps);
  add("small_batch.frozen", numbers.small_frozen);
  add("small_batch.scaled", numbers.small_scaled);
  if (numbers.small_frozen.size() == numbers.small_scaled.size()) {
    PerSeed closed;
    for (std::size_t s = 0; s < numbers.small_frozen.size(); ++s) {
      closed.push_back(numbers.small_frozen[s] - numbers.small_scaled[s]);
    }
    add("small_batch.gap_closed", closed);
  }
  record.metrics.push_back(exact_metric("small_batch.size", "sequences", Better::none,
                                        static_cast<double>(smallest_batch(options))));
}

void fill_remedies(Metrics& metrics) {
  const auto delta = [](std::size_t a, std::size_t b) {
    return [a, b](const SeedResult& seed) {
      return difference(seed.remedies[a].nll, seed.remedies[b].nll);
    };
  };
  metrics.add("remedy.halving", "nats/token", Better::lower, delta(1, 0));
  metrics.add("remedy.growing", "nats/token", Better::lower, delta(2, 0));
  metrics.add("remedy.growing_minus_halving", "nats/token", Better::lower, delta(2, 1));
  metrics.add("remedy.updates_ratio", "ratio", Better::none, [](const SeedResult& seed) {
    return std::optional<double>(static_cast<double>(seed.remedies[2].updates) /
                                 static_cast<double>(seed.remedies[1].updates));
  });
  metrics.add("sharpness.exponent", "", Better::none, [](const SeedResult& seed) {
    std::vector<double> x, y;
    for (const Sharpness& s : seed.sharpness) {
      if (!s.eigenvalue || s.eigenvalue->value <= 0) continue;
      x.push_back(static_cast<double>(s.batch));
      y.push_back(std::log2(s.eigenvalue->value));
    }
    return slope_per_doubling(x, y);
  });
  metrics.add("accumulation.mean_of_means_error", "ratio", Better::none,
              [](const SeedResult& seed) {
                return std::optional<double>(seed.accumulation.mean_of_means);
              });
}

void fill_accumulation(const std::vector<SeedResult>& seeds, Record& record) {
  double difference = 0, share = 0;
  bool equal = true;
  for (const SeedResult& seed : seeds) {
    difference = std::max(difference, seed.accumulation.check.difference);
    share = std::max(share, seed.accumulation.check.share_of_bound);
    equal = equal && seed.accumulation.check.rest_is_equal;
  }
  record.metrics.push_back(
      exact_metric("accumulation.difference", "nats/weight", Better::lower, difference));
  record.metrics.push_back(
      exact_metric("accumulation.share_of_bound", "ratio", Better::lower, share));
  record.metrics.push_back(
      exact_metric("accumulation.rest_is_equal", "", Better::higher, equal ? 1 : 0));
}

// --- tables --------------------------------------------------------------------------------

std::int64_t seed_cell(const SeedResult& seed) { return static_cast<std::int64_t>(seed.seed); }

Table budgets_table(const Options& options, const std::vector<SeedResult>& seeds) {
  Table table{"budgets",
              {"budget", "arm", "batch_size", "updates", "sequences", "lr", "beta2", "nll",
               "nll_lo", "nll_hi", "perplexity", "train_gap", "n"},
              {}};
  const std::vector<Arm> arms = options.arms();
  for (const std::string& budget : options.budget) {
    for (std::size_t a = 0; a < arms.size(); ++a) {
      for (const std::int64_t batch : options.batch_sizes) {
        const Cell& cell = *find_cell(seeds.front(), a, batch, budget);
        const Estimate nll = mean_t(of_seeds(
            seeds, [&](const SeedResult& seed) { return nll_of(seed, a, batch, budget); }));
        const Estimate gap = mean_t(of_seeds(seeds, [&](const SeedResult& seed) {
          const Cell& c = *find_cell(seed, a, batch, budget);
          return difference(c.nll, c.train_nll);
        }));
        const auto perplexity =
            nll.value ? std::optional<double>(std::exp(*nll.value)) : std::nullopt;
        table.rows.push_back(
            {budget, arms[a].id(), batch, cell.updates, cell.updates * batch, cell.lr, cell.beta2,
             experiments::cell(nll.value),
             experiments::cell(nll.ci ? std::optional<double>(nll.ci->lo) : std::nullopt),
             experiments::cell(nll.ci ? std::optional<double>(nll.ci->hi) : std::nullopt),
             experiments::cell(perplexity), experiments::cell(gap.value), nll.n});
      }
    }
  }
  return table;
}

Table runs_table(const Options& options, const std::vector<SeedResult>& seeds) {
  Table table{"runs",
              {"seed", "budget", "arm", "batch_size", "updates", "lr", "beta2", "nll", "train_nll"},
              {}};
  const std::vector<Arm> arms = options.arms();
  for (const SeedResult& seed : seeds) {
    for (const Cell& c : seed.cells) {
      table.rows.push_back({seed_cell(seed), c.budget, arms[c.arm].id(), c.batch, c.updates, c.lr,
                            c.beta2, cell(c.nll), cell(c.train_nll)});
    }
  }
  return table;
}

Table search_table(const Options& options, const Sweep& sweep) {
  Table table{"search", {"batch_size", "beta2", "lr", "budget", "updates", "selection_nll"}, {}};
  for (const Sweep::Tried& tried : sweep.tried()) {
    for (const std::string& budget : options.budget) {
      const std::int64_t updates = sweep.updates(budget, tried.batch);
      const Point* point = tried.trajectory->at(updates);
      table.rows.push_back(
          {tried.batch, tried.beta2, tried.lr, budget, updates,
           cell(point ? std::optional<double>(point->selection_nll) : std::nullopt)});
    }
    const auto reached = updates_to(*tried.trajectory, sweep.target(), &Point::selection_nll);
    if (!reached) continue;
    table.rows.push_back({tried.batch, tried.beta2, tried.lr, kTarget,
                          static_cast<std::int64_t>(std::llround(*reached)), sweep.target()});
  }
  return table;
}

Table trade_off_table(const std::vector<SeedResult>& seeds) {
  Table table{"trade_off", {"seed", "batch_size", "lr", "updates", "sequences", "fitted"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const TargetPoint& point : seed.target) {
      const double batch = static_cast<double>(point.batch);
      const auto sequences =
          point.updates ? std::optional<double>(*point.updates * batch) : std::nullopt;
      const auto fitted = seed.trade_off
                              ? std::optional<double>(seed.trade_off->least_steps *
                                                      (1 + seed.trade_off->critical_batch / batch))
                              : std::nullopt;
      table.rows.push_back({seed_cell(seed), point.batch, point.lr, cell(point.updates),
                            cell(sequences), cell(fitted)});
    }
  }
  return table;
}

void noise_tables(const std::vector<SeedResult>& seeds, Record& record) {
  Table noise{"noise",
              {"seed", "updates", "nll", "trace", "squared_norm", "b_simple", "two_batch",
               "two_batch_lo", "two_batch_hi", "negative_share", "small_batch", "big_batch"},
              {}};
  Table variance{
      "variance", {"seed", "updates", "sampling", "batch_size", "variance", "expected"}, {}};
  Table cosine{"cosine", {"seed", "updates", "direction", "batch_size", "cosine", "expected"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const NoisePoint& p : seed.noise) {
      const auto& two = p.two_batch.b_simple;
      noise.rows.push_back({seed_cell(seed), p.updates, p.nll, p.exact.trace, p.exact.squared_norm,
                            cell(p.exact.b_simple), cell(two.value),
                            cell(two.ci ? std::optional<double>(two.ci->lo) : std::nullopt),
                            cell(two.ci ? std::optional<double>(two.ci->hi) : std::nullopt),
                            p.two_batch.negative_share, p.two_batch.small_batch,
                            p.two_batch.big_batch});
      const auto add_variance = [&](const char* sampling, const auto& points) {
        for (const auto& v : points) {
          variance.rows.push_back(
              {seed_cell(seed), p.updates, std::string(sampling), v.batch, v.variance, v.expected});
        }
      };
      add_variance("with_replacement", p.independent);
      add_variance("without_replacement", p.finite);
      for (const auto& c : p.cosines) {
        cosine.rows.push_back(
            {seed_cell(seed), p.updates, std::string("gradient"), c.batch, c.cosine, c.expected});
      }
      for (const auto& c : p.update_cosines) {
        cosine.rows.push_back({seed_cell(seed), p.updates, std::string("update"), c.batch, c.cosine,
                               cell(std::nullopt)});
      }
    }
  }
  record.tables.push_back(noise);
  record.tables.push_back(variance);
  record.tables.push_back(cosine);
}

Table sharpness_table(const std::vector<SeedResult>& seeds) {
  Table table{"sharpness", {"seed", "batch_size", "lr", "eigenvalue", "residual", "products"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const Sharpness& s : seed.sharpness) {
      if (!s.eigenvalue) continue;
      table.rows.push_back({seed_cell(seed), s.batch, s.lr, s.eigenvalue->value,
                            s.eigenvalue->residual, s.eigenvalue->products});
    }
  }
  return table;
}

Table remedies_table(const std::vector<SeedResult>& seeds) {
  Table table{"remedies", {"seed", "remedy", "updates", "nll"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const Remedy& r : seed.remedies) {
      table.rows.push_back({seed_cell(seed), r.name, r.updates, cell(r.nll)});
    }
  }
  return table;
}

// --- time ----------------------------------------------------------------------------------

void fill_cost(const Options& options, const Sweep& sweep, const std::vector<UpdateTime>& times,
               Record& record) {
  std::vector<double> batches, ms;
  double reference = 0;
  for (const UpdateTime& time : times) {
    batches.push_back(static_cast<double>(time.batch));
    ms.push_back(time.ms);
    if (time.batch == options.batch_size) reference = time.ms;
  }
  const stats::LinearFit fit = stats::linear_fit(batches, ms);
  Metric metric = exact_metric("update_cost", "gradients of one sequence", Better::none, 0);
  metric.value.reset();
  if (fit.slope.value && *fit.slope.value > 0) {
    metric.value = *fit.intercept.value / *fit.slope.value;
  } else {
    metric.reason = "the time of an update does not grow with the batch";
  }
  record.cost.measurements.push_back(metric);

  // What the budget `time` would have been by the clock of this machine.
  const double budget =
      reference * static_cast<double>(options.sequences) / static_cast<double>(options.batch_size);
  Table table{
      "updates",
      {"batch_size", "ms_per_update", "ms_per_sequence", "updates_counted", "updates_measured"},
      {}};
  for (const UpdateTime& time : times) {
    table.rows.push_back({time.batch, time.ms, time.ms / static_cast<double>(time.batch),
                          sweep.updates("time", time.batch),
                          static_cast<std::int64_t>(std::llround(budget / time.ms))});
  }
  record.cost.tables.push_back(table);
}

// --- words ---------------------------------------------------------------------------------

std::string verdict_words(const Claim& claim) {
  std::string text = to_string(claim.verdict);
  if (!claim.conditions.empty()) text += " (" + claim.conditions.english() + ")";
  return text;
}

const Metric& find_metric(const Record& record, const std::string& id) {
  for (const Metric& metric : record.metrics) {
    if (metric.id == id) return metric;
  }
  throw_run("internal error: no metric " + id);
}

std::string words(const Record& record, const std::string& id, const char* format) {
  const Metric& metric = find_metric(record, id);
  Estimate estimate;
  estimate.value = metric.value;
  estimate.ci = metric.ci;
  estimate.reason = metric.reason;
  return with_interval(estimate, format);
}

std::string answer(const Options& options, const corpus::LanguageData& data, const Sweep& sweep,
                   const Record& record) {
  std::string text = fmt::format(
      "On {} the variance of the gradient falls with the batch with exponent {}, as it must, and "
      "its direction follows 1/sqrt(1 + B_simple/B) with R^2 {}; the noise scale grows by a factor "
      "of {} over training.",
      data.corpus_name(), words(record, "noise.slope", "{:.3f}"),
      words(record, "noise.cosine_r_squared", "{:.3f}"), words(record, "noise.growth", "{:.1f}"));
  for (const std::string& budget : options.budget) {
    text += fmt::format(
        " At equal {} every doubling of the batch changes the validation loss by {} nats/token, "
        "and perplexity at B = {} is {} times that at B = {}.",
        budget, words(record, budget + ".nll_per_doubling", "{:+.3f}"), options.largest_batch(),
        words(record, budget + ".perplexity_ratio", "{:.2f}"), options.batch_size);
  }
  text += fmt::format(
      " To a loss of {:.2f} the critical batch is {} sequences, and the noise scale there is {} "
      "of it.",
      sweep.target(), words(record, "trade_off.critical_batch", "{:.1f}"),
      words(record, "trade_off.noise_ratio", "{:.2f}"));
  text += " A larger batch gives a lower perplexity: " + verdict_words(record.claims[2]) + ".";
  text += " A smaller batch gives a higher one: " + verdict_words(record.claims[3]) + ".";
  return text;
}

}  // namespace

ClaimNumbers claim_numbers(const Options& options, const std::vector<SeedResult>& seeds) {
  ClaimNumbers n;
  n.variance_slope = of_seeds(seeds, variance_slope);
  n.finite_ratio = of_seeds(seeds, finite_ratio);
  n.cosine_r_squared = of_seeds(seeds, cosine_r_squared);
  n.cosine_at_noise_scale = of_seeds(
      seeds, [](const SeedResult& seed) { return at_noise_scale(seed, &NoisePoint::cosines); });
  for (const std::string& budget : options.budget) {
    n.budgets.push_back({budget, of_seeds(seeds, [&](const SeedResult& seed) {
                           const Curve curve = curve_of(seed, budget);
                           return slope_per_doubling(curve.batches, curve.nll);
                         })});
  }
  const std::int64_t small = smallest_batch(options), critical = critical_batch(options, seeds);
  const auto gap = [&](std::size_t arm, const std::string& budget) {
    return of_seeds(seeds, [&](const SeedResult& seed) {
      return difference(nll_of(seed, arm, small, budget), nll_of(seed, 0, critical, budget));
    });
  };
  n.small_steps = gap(0, "steps");
  n.small_scaled = gap(0, "tokens");
  if (const auto frozen = frozen_arm(options)) n.small_frozen = gap(*frozen, "tokens");
  return n;
}

void fill_record(const Options& options, const corpus::LanguageData& data, const Sweep& sweep,
                 const std::vector<SeedResult>& seeds, const std::vector<UpdateTime>& times,
                 Record& record) {
  XFQ_ASSERT(!seeds.empty());
  if (data.floor()) {
    Metric floor =
        exact_metric("entropy_floor", "nats/token", Better::none, data.floor()->nats_per_token);
    floor.n = data.split(corpus::SplitName::validation).documents;
    record.metrics.push_back(floor);
  }
  const ClaimNumbers numbers = claim_numbers(options, seeds);
  Metrics metrics(seeds, record);
  fill_noise(metrics);
  fill_budgets(options, metrics);
  fill_trade_off(options, sweep, seeds, metrics, record);
  fill_small_batches(options, numbers, record);
  fill_remedies(metrics);
  fill_accumulation(seeds, record);

  record.tables.push_back(budgets_table(options, seeds));
  record.tables.push_back(runs_table(options, seeds));
  record.tables.push_back(search_table(options, sweep));
  record.tables.push_back(trade_off_table(seeds));
  noise_tables(seeds, record);
  record.tables.push_back(sharpness_table(seeds));
  record.tables.push_back(remedies_table(seeds));

  record.claims = make_claims(numbers);
  fill_cost(options, sweep, times, record);
  record.answer = answer(options, data, sweep, record);
  for (const std::string& where : sweep.unbracketed()) {
    record.warnings.push_back({"rate_at_edge",
                               fmt::format("the best learning rate of {} stands at an edge of "
                                           "what was tried",
                                           where),
                               "begin the search with another --lr"});
  }
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::batch_ppl

#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../numbers.h"
#include "claims.h"
#include "derived.h"
#include "tables.h"
#include "xfq/core/error.h"
#include "xfq/stats/correlation.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::batch_ppl {

namespace {

using stats::Estimate;
using stats::mean_t;

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

// --- words ---------------------------------------------------------------------------------

Text verdict_words(const Claim& claim) {
  const Text verdict = to_string(claim.verdict);
  return claim.conditions.empty() ? verdict : phrase("{} ({})", {verdict, claim.conditions});
}

const Metric& find_metric(const Record& record, const std::string& id) {
  for (const Metric& metric : record.metrics) {
    if (metric.id == id) return metric;
  }
  throw_run("internal error: no metric " + id);
}

Text words(const Record& record, const std::string& id, const char* format) {
  const Metric& metric = find_metric(record, id);
  Estimate estimate;
  estimate.value = metric.value;
  estimate.ci = metric.ci;
  estimate.reason = metric.reason;
  return with_interval(estimate, format);
}

Text answer(const Options& options, const corpus::LanguageData& data, const Sweep& sweep,
            const Record& record) {
  std::vector<Text> sentences = {
      phrase("On {} the variance of the gradient falls with the batch with exponent {}, as it "
             "must, and its direction follows 1/sqrt(1 + B_simple/B) with R^2 {}; the noise scale "
             "grows by a factor of {} over training.",
             {data.corpus_name(), words(record, "noise.slope", "{:.3f}"),
              words(record, "noise.cosine_r_squared", "{:.3f}"),
              words(record, "noise.growth", "{:.1f}")})};
  for (const std::string& budget : options.budget) {
    sentences.push_back(
        phrase("At {} every doubling of the batch changes the validation loss by {} nats/token, "
               "and perplexity at B = {} is {} times that at B = {}.",
               {equal_budget(budget), words(record, budget + ".nll_per_doubling", "{:+.3f}"),
                options.largest_batch(), words(record, budget + ".perplexity_ratio", "{:.2f}"),
                options.batch_size}));
  }
  sentences.push_back(
      phrase("To a loss of {:.2f} the critical batch is {} sequences, and the noise scale there is "
             "{} of it.",
             {sweep.target(), words(record, "trade_off.critical_batch", "{:.1f}"),
              words(record, "trade_off.noise_ratio", "{:.2f}")}));
  sentences.push_back(
      phrase("A larger batch gives a lower perplexity: {}.", {verdict_words(record.claims[2])}));
  sentences.push_back(
      phrase("A smaller batch gives a higher one: {}.", {verdict_words(record.claims[3])}));
  return paragraph(sentences);
}

}  // namespace

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

  fill_tables(options, sweep, seeds, record);
  record.claims = make_claims(numbers);
  fill_cost(options, sweep, times, record);
  record.answer = answer(options, data, sweep, record);
  for (const std::string& where : sweep.unbracketed()) {
    record.warnings.push_back({"rate_at_edge",
                               phrase("the best learning rate of {} stands at an edge of what "
                                      "was tried",
                                      {where}),
                               "begin the search with another --lr"});
  }
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::batch_ppl

#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "../numbers.h"
#include "claims.h"
#include "derived.h"
#include "tables.h"
#include "xfq/importance/conductance.h"

namespace xfq::experiments::neuron_importance {

namespace {

using importance::Arrangement;
using stats::Estimate;

// --- metrics -------------------------------------------------------------------------------

void fill_metrics(const Options& options, const Subject& subject, const std::vector<Judged>& seeds,
                  Record& record) {
  const auto add = [&](const std::string& id, const std::string& unit, Better better,
                       const OfSeed& of) {
    record.metrics.push_back(make_metric(id, unit, better, estimate(seeds, of)));
  };
  if (const auto floor = subject.entropy_floor()) {
    record.metrics.push_back(exact_metric("entropy_floor", "nats/token", Better::none, *floor));
  }
  add("model.nll", "nats/token", Better::lower,
      [](const Judged& seed) { return seed.result.curves.full_loss; });

  for (std::size_t o = 0; o < options.oracle.size(); ++o) {
    const std::string& oracle = options.oracle[o];
    for (const std::string& measure : importance::measure_names()) {
      add("oracle." + oracle + "." + measure + ".reliability", "", Better::higher,
          [&](const Judged& seed) { return reliability(seed, seed.result.ablated[o], measure); });
    }
    add("oracle." + oracle + ".better_without", "share", Better::none,
        [&](const Judged& seed) { return share(seed.result.ablated[o], better_without); });
    add("oracle." + oracle + ".surely_better_without", "share", Better::none,
        [&](const Judged& seed) { return share(seed.result.ablated[o], surely_better_without); });
  }

  for (const std::string& score : options.score) {
    add(score + ".reliability", "", Better::higher, [&](const Judged& seed) {
      const importance::Score& s = *seed.result.scored.find(score);
      return importance::split_half(seed.result.scored.units, s.halves[0], s.halves[1]);
    });
    for (const std::string& oracle : options.oracle) {
      for (const Arrangement arrangement : importance::kArrangements) {
        add(score + "." + oracle + "." + importance::to_string(arrangement), "", Better::higher,
            [&, arrangement](const Judged& seed) {
              return rho(seed, score, oracle, options.oracle_measure, arrangement);
            });
      }
      add(score + "." + oracle + ".top_overlap", "share", Better::higher, [&](const Judged& seed) {
        return seed.find(score, oracle, options.oracle_measure)->top_overlap;
      });
    }
    if (score == "random") {
      add("random.area", "nats/token", Better::none,
          [](const Judged& seed) { return mean_of(random_areas(seed.result)); });
    } else {
      for (const std::string& normalise : options.normalise) {
        const std::string prefix = score + "." + normalise;
        add(prefix + ".area", "nats/token", Better::lower, [&](const Judged& seed) {
          return area(seed.result.curves.rows, score, normalise, "lowest");
        });
        add(prefix + ".reverse_area", "nats/token", Better::higher, [&](const Judged& seed) {
          return area(seed.result.curves.rows, score, normalise, "highest");
        });
        add(prefix + ".beats_random", "share", Better::higher,
            [&](const Judged& seed) { return share_beaten(seed.result, score, normalise); });
      }
    }
  }
  for (const std::string& score : options.focused()) {
    if (options.iterative && score != "random") {
      add(score + ".iterative_area", "nats/token", Better::lower, [&](const Judged& seed) {
        return area(seed.result.focus.curves, score, options.normalise.front(), "iterative");
      });
    }
    if (options.finetune_steps > 0) {
      add(score + ".finetuned_rise", "nats/token", Better::lower, [&](const Judged& seed) {
        return difference(finetuned(seed.result, score), finetuned(seed.result, "none"));
      });
    }
  }
  for (const char* values : {"model", "normal"}) {
    for (const char* range : {"shared", "clipped", "own"}) {
      add(fmt::format("entropy.{}.{}.with_std", values, range), "", Better::none,
          [&](const Judged& seed) {
            return entropy_number(seed, values, range, options.bins, &EntropyAgreement::with_std);
          });
    }
  }
  for (const char* range : {"shared", "own"}) {
    add(fmt::format("entropy.model.{}.partial", range), "", Better::none, [&](const Judged& seed) {
      return entropy_number(seed, "model", range, options.bins, &EntropyAgreement::partial);
    });
  }
  const bool conductance =
      std::find(options.score.begin(), options.score.end(), "conductance") != options.score.end();
  if (!conductance) return;
  double worst = 0;
  for (const Judged& seed : seeds) {
    worst = std::max(worst, seed.result.scored.set.completeness_error);
  }
  record.metrics.push_back(
      exact_metric("conductance.completeness_error", "relative", Better::lower, worst));
  if (worst > importance::kCompleteness) {
    record.warnings.push_back(
        {"conductance_incomplete",
         phrase("the contributions miss the loss difference by {:.2g} of it", {worst}),
         "no finer path helps: read its values as estimates"});
  }
}

// --- claims --------------------------------------------------------------------------------

class ClaimNumbers {
 public:
  ClaimNumbers(const Options& options, const std::vector<Judged>& seeds)
      : options_(options), seeds_(seeds) {}

  std::vector<double> of(const std::string& score, const std::string& oracle,
                         Arrangement arrangement) const {
    return collect(seeds_, [&](const Judged& seed) {
      return rho(seed, score, oracle, options_.oracle_measure, arrangement);
    });
  }
  std::vector<double> differences(const std::string& score, const std::string& oracle,
                                  Arrangement arrangement, const std::string& other_score,
                                  const std::string& other_oracle,
                                  Arrangement other_arrangement) const {
    const std::vector<double> a = of(score, oracle, arrangement);
    const std::vector<double> b = of(other_score, other_oracle, other_arrangement);
    if (a.size() != b.size()) return {};
    std::vector<double> result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) result[i] = a[i] - b[i];
    return result;
  }
  std::vector<double> drop(const std::string& score) const {
    return differences(score, "zero", Arrangement::within, score, "mean", Arrangement::within);
  }
  std::vector<PruningOrder> orders(const std::string& score, const Text& name) const {
    std::vector<PruningOrder> orders;
    for (const std::string& normalise : options_.normalise) {
      orders.push_back({normalise == "layer"
                            ? phrase("pruning by {} divided by the layers' norms", {name})
                            : phrase("pruning by {} as it is", {name}),
                        collect(seeds_, [&](const Judged& seed) {
                          return share_beaten(seed.result, score, normalise);
                        })});
    }
    return orders;
  }
  /// Both oracles within layers, then zero ablation across layers, both ways.
  std::vector<Ranking> rankings(const std::string& score, const Text& name) const {
    return {
        {name, phrase("{} within layers under zero ablation", {name}),
         of(score, "zero", Arrangement::within)},
        {name, phrase("{} within layers under mean ablation", {name}),
         of(score, "mean", Arrangement::within)},
        {name, phrase("{} across layers as it is", {name}), of(score, "zero", Arrangement::raw)},
        {name, phrase("{} across layers divided by their norms", {name}),
         of(score, "zero", Arrangement::normalised)}};
  }

  GradientNumbers gradient() const {
    GradientNumbers numbers;
    numbers.rankings = rankings("gradient", Text::verbatim("E|g|"));
    numbers.taylor_advantage =
        differences("taylor", "zero", Arrangement::within, "gradient", "zero", Arrangement::within);
    numbers.orders = orders("gradient", Text::verbatim("E|g|"));
    return numbers;
  }
  ActivationNumbers activation() const {
    ActivationNumbers numbers;
    numbers.rankings = rankings("activation", Text::verbatim("E|a|"));
    for (const Ranking& ranking : rankings("std", "the standard deviation")) {
      numbers.rankings.push_back(ranking);
    }
    numbers.activation_drop = drop("activation");
    numbers.std_drop = drop("std");
    numbers.orders = orders("activation", Text::verbatim("E|a|"));
    return numbers;
  }
  EntropyNumbers entropy() const {
    EntropyNumbers numbers;
    numbers.rankings = rankings("entropy-shared", "the entropy over shared bins");
    for (const Ranking& ranking :
         rankings("entropy-own", "the entropy over a neuron's own range")) {
      numbers.rankings.push_back(ranking);
    }
    const auto shared = [&](Number EntropyAgreement::*number) {
      return collect(seeds_, [&](const Judged& seed) {
        return entropy_number(seed, "model", "shared", options_.bins, number);
      });
    };
    numbers.rho_with_std = shared(&EntropyAgreement::with_std);
    numbers.partial_rho = shared(&EntropyAgreement::partial);
    numbers.orders = orders("entropy-shared", "the entropy");
    numbers.finetuned_gain = collect(seeds_, [](const Judged& seed) {
      return difference(finetuned(seed.result, "random"), finetuned(seed.result, "entropy-shared"));
    });
    return numbers;
  }
  ShapeNumbers shapes() const {
    const Arrangement within = Arrangement::within;
    ShapeNumbers numbers;
    numbers.taylor_over_activation =
        differences("taylor", "zero", within, "activation", "zero", within);
    numbers.activation_over_magnitude =
        differences("activation", "zero", within, "magnitude", "zero", within);
    numbers.taylor_collapse =
        differences("taylor", "zero", within, "taylor", "zero", Arrangement::raw);
    numbers.taylor_recovery =
        differences("taylor", "zero", Arrangement::normalised, "taylor", "zero", Arrangement::raw);
    numbers.activation_drop = drop("activation");
    numbers.std_drop = drop("std");
    return numbers;
  }

 private:
  const Options& options_;
  const std::vector<Judged>& seeds_;
};

// --- answer --------------------------------------------------------------------------------

/// "neurons".
Text units_text(const std::string& unit) {
  return unit == "neuron" ? "neurons" : unit == "head" ? "heads" : "channels";
}

Text damage_sentence(const Options& options, const Subject& subject,
                     const std::vector<Judged>& seeds) {
  const auto reliability_of = [&](const std::string& measure) {
    return with_interval(estimate(seeds,
                                  [&](const Judged& seed) {
                                    return reliability(seed, seed.result.ablated.front(), measure);
                                  }),
                         "{:.2f}");
  };
  const double better = 100 * mean_of(collect(seeds, [](const Judged& seed) {
                          return share(seed.result.ablated.front(), better_without);
                        }));
  std::vector<Text> sentences = {phrase(
      "On {} every one of the {} {} of the {} was ablated exactly ({}); {:.0f} % of them "
      "lower the loss when they go.",
      {subject.source().name, seeds.front().result.scored.units.count(), units_text(options.unit),
       Text(options.model == "encoder" ? "encoder" : "decoder"), options.oracle.front(), better})};
  const Text as_loss = reliability_of("nll");
  sentences.push_back(
      options.oracle_measure == "nll"
          ? phrase(
                "The damage, measured as change of the loss, has a split-half reliability of {}.",
                {as_loss})
          : phrase("The damage, measured as token KL, has a split-half reliability of {}, as "
                   "change of the loss {}.",
                   {reliability_of(options.oracle_measure), as_loss}));
  return paragraph(sentences);
}

/// The scores from the best to the worst rank correlation within layers.
Text ranking_sentence(const Options& options, const std::vector<Judged>& seeds) {
  struct Ranked {
    std::string score;
    Estimate within;
  };
  std::vector<Ranked> ranked;
  for (const std::string& score : options.score) {
    const Estimate within = estimate(seeds, [&](const Judged& seed) {
      return rho(seed, score, options.oracle.front(), options.oracle_measure, Arrangement::within);
    });
    if (within.value) ranked.push_back({score, within});
  }
  if (ranked.empty()) return {};
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return *a.within.value > *b.within.value;
  });
  // One interval is enough to judge them by.
  for (std::size_t i = 1; i < ranked.size(); ++i) ranked[i].within.ci.reset();
  std::vector<Text> items;
  for (const Ranked& r : ranked) {
    items.push_back(Text::verbatim(r.score + " ") + with_interval(r.within, "{:.2f}"));
  }
  return phrase("Rank correlation with the damage within layers: {}.", {listing(items)});
}

/// The best and the worst order to prune in.
Text pruning_sentence(const Options& options, const std::vector<Judged>& seeds) {
  struct Order {
    double area;
    Text name;
  };
  std::vector<Order> orders;
  for (const std::string& score : options.score) {
    if (score == "random") continue;
    for (const std::string& normalise : options.normalise) {
      const Text name = Text::verbatim(score);
      orders.push_back(
          {mean_of(collect(seeds,
                           [&](const Judged& seed) {
                             return area(seed.result.curves.rows, score, normalise, "lowest");
                           })),
           normalise == "layer" ? phrase("{} divided by its layer's norm", {name}) : name});
    }
  }
  if (orders.empty()) return {};
  std::sort(orders.begin(), orders.end(), [](const Order& a, const Order& b) {
    return a.area != b.area ? a.area < b.area : a.name.english() < b.name.english();
  });
  const double random = mean_of(collect(
      seeds, [](const Judged& seed) -> Number { return mean_of(random_areas(seed.result)); }));
  return phrase(
      "Removing up to {:.0f} % from the lowest score up raises the loss by {:.3f} nats/token on "
      "average in the order of {}, by {:.3f} in the order of {}, by {:.3f} at random.",
      {100 * options.prune_fractions.back(), orders.front().area, orders.front().name,
       orders.back().area, orders.back().name, random});
}

Text answer(const Options& options, const Subject& subject, const std::vector<Judged>& seeds) {
  return paragraph({damage_sentence(options, subject, seeds), ranking_sentence(options, seeds),
                    pruning_sentence(options, seeds)});
}

}  // namespace

void fill_record(const Options& options, const Subject& subject, const std::vector<Judged>& seeds,
                 Record& record) {
  fill_metrics(options, subject, seeds, record);
  const ClaimNumbers numbers(options, seeds);
  record.tables = make_tables(seeds, published_shapes(numbers.shapes()));
  record.claims = {gradient_claim(numbers.gradient()), activation_claim(numbers.activation()),
                   entropy_claim(numbers.entropy())};
  record.answer = answer(options, subject, seeds);
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::neuron_importance

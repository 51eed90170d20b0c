#include "tables.h"

#include <algorithm>
#include <set>

#include "../numbers.h"
#include "derived.h"

namespace xfq::experiments::neuron_importance {

namespace {

using importance::Arrangement;
using stats::Estimate;

constexpr std::size_t kDrawnUnits = 200;
constexpr int kDrawnDigits = 4;

Value end_of(const std::optional<Interval>& ci, double Interval::*end) {
  return cell(ci ? Number((*ci).*end) : std::nullopt);
}

void append(const Estimate& estimate, std::vector<Value>& row) {
  row.push_back(cell(estimate.value));
  row.push_back(end_of(estimate.ci, &Interval::lo));
  row.push_back(end_of(estimate.ci, &Interval::hi));
}

Table scores_table(const std::vector<Judged>& seeds) {
  Table table{"scores",
              {"score", "seed", "forward_passes", "backward_passes", "tokens", "reliability"},
              {}};
  for (const Judged& seed : seeds) {
    for (const importance::Score& score : seed.result.scored.set.scores) {
      table.rows.push_back({score.name, seed.result.number(), score.forward_passes,
                            score.backward_passes, score.tokens,
                            cell(importance::split_half(seed.result.scored.units, score.halves[0],
                                                        score.halves[1]))});
    }
  }
  return table;
}

Table oracles_table(const std::vector<Judged>& seeds) {
  Table table{"oracles",
              {"oracle", "measure", "seed", "units", "mean", "reliability", "better_without",
               "surely_better_without"},
              {}};
  for (const Judged& seed : seeds) {
    for (const Ablated& ablated : seed.result.ablated) {
      for (const std::string& measure : importance::measure_names()) {
        table.rows.push_back(
            {ablated.replacement, measure, seed.result.number(),
             static_cast<std::int64_t>(ablated.effects.size()), mean_of(ablated.damage(measure)),
             cell(reliability(seed, ablated, measure)), share(ablated, better_without),
             share(ablated, surely_better_without)});
      }
    }
  }
  return table;
}

Table agreement_table(const std::vector<Judged>& seeds) {
  Table table{"agreement",
              {"score", "oracle", "measure", "seed", "within", "within_lo", "within_hi", "raw",
               "raw_lo", "raw_hi", "normalised", "normalised_lo", "normalised_hi", "kendall",
               "kendall_lo", "kendall_hi", "top_overlap", "ceiling", "corrected"},
              {}};
  for (const Judged& seed : seeds) {
    for (const AgreementRow& row : seed.agreement) {
      std::vector<Value> cells = {row.score, row.oracle, row.measure, seed.result.number()};
      for (const Estimate& spearman : row.spearman) append(spearman, cells);
      append(row.kendall, cells);
      cells.emplace_back(row.top_overlap);
      cells.push_back(cell(row.ceiling()));
      cells.push_back(cell(row.corrected()));
      table.rows.push_back(std::move(cells));
    }
  }
  return table;
}

Table curves_table(const std::vector<Judged>& seeds) {
  Table table{"curves", {"score", "normalise", "order", "draw", "seed", "fraction", "rise"}, {}};
  const auto append_rows = [&](const std::vector<CurveRow>& rows, std::int64_t seed) {
    for (const CurveRow& row : rows) {
      for (std::size_t i = 0; i < row.curve.fractions.size(); ++i) {
        table.rows.push_back({row.score, row.normalise, row.order, row.draw, seed,
                              row.curve.fractions[i], row.curve.rise[i]});
      }
    }
  };
  for (const Judged& seed : seeds) {
    append_rows(seed.result.curves.rows, seed.result.number());
    append_rows(seed.result.focus.curves, seed.result.number());
  }
  return table;
}

Table finetuned_table(const std::vector<Judged>& seeds) {
  Table table{"finetuned", {"score", "seed", "fraction", "before", "after"}, {}};
  for (const Judged& seed : seeds) {
    for (const FinetunedRow& row : seed.result.focus.finetuned) {
      table.rows.push_back({row.score, seed.result.number(), row.fraction, row.before, row.after});
    }
  }
  return table;
}

Table entropy_table(const std::vector<Judged>& seeds) {
  Table table{"entropy",
              {"values", "range", "bins", "miller_madow", "samples", "seed", "mean", "with_std",
               "with_damage", "partial"},
              {}};
  for (const Judged& seed : seeds) {
    for (std::size_t i = 0; i < seed.entropy.size(); ++i) {
      const EntropyRow& row = seed.result.entropies[i];
      const EntropyAgreement& agreement = seed.entropy[i];
      table.rows.push_back({row.values, row.range, row.bins, row.miller_madow, row.samples,
                            seed.result.number(), mean_of(row.entropies), cell(agreement.with_std),
                            cell(agreement.with_damage), cell(agreement.partial)});
    }
  }
  return table;
}

Table damage_table(const SeedResult& seed) {
  Table table{"damage", {"seed", "layer", "index", "oracle", "nll", "nll_lo", "nll_hi", "kl"}, {}};
  const importance::Units& units = seed.scored.units;
  for (const Ablated& ablated : seed.ablated) {
    for (Index u = 0; u < units.count(); ++u) {
      const importance::Effect& effect = ablated.effects[static_cast<std::size_t>(u)];
      const auto interval = effect.nll_interval();
      table.rows.push_back({seed.number(), units.layer(u), units.index(u), ablated.replacement,
                            effect.nll(), end_of(interval, &Interval::lo),
                            end_of(interval, &Interval::hi), effect.kl()});
    }
  }
  return table;
}

/// Damage beside every score. Of more than kDrawnUnits units, as many as that, evenly spaced
/// in the order of the damage, so that all of its range is seen.
Table oracle_scores_table(const SeedResult& seed) {
  Table table{"oracle_scores", {"layer", "index", "kl"}, {}};
  const importance::Units& units = seed.scored.units;
  const std::vector<importance::Score>& scores = seed.scored.set.scores;
  for (const importance::Score& score : scores) table.columns.push_back(score.name);
  const std::vector<double> damage = seed.ablated.front().damage("kl");
  const std::vector<std::size_t> order = importance::ascending(damage);
  const std::size_t count = std::min(order.size(), kDrawnUnits);
  std::set<std::size_t> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.insert(order[count == 1 ? 0 : i * (order.size() - 1) / (count - 1)]);
  }
  for (const std::size_t u : chosen) {
    const auto unit = static_cast<Index>(u);
    std::vector<Value> cells = {units.layer(unit), units.index(unit),
                                rounded(damage[u], kDrawnDigits)};
    for (const importance::Score& score : scores) {
      cells.emplace_back(rounded(score.values[u], kDrawnDigits));
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table units_table(const SeedResult& seed) {
  Table table{"units", {"seed", "end", "rank", "layer", "index", "nll", "kl", "tokens"}, {}};
  for (const UnitRow& row : seed.units) {
    const importance::Effect& effect =
        seed.ablated.front().effects[static_cast<std::size_t>(row.unit)];
    table.rows.push_back({seed.number(), std::string(row.most ? "most" : "least"), row.rank,
                          seed.scored.units.layer(row.unit), seed.scored.units.index(row.unit),
                          effect.nll(), effect.kl(), row.tokens});
  }
  return table;
}

Table unit_scores_table(const SeedResult& seed) {
  Table table{"unit_scores", {"seed", "layer", "index", "score", "value", "place"}, {}};
  for (const importance::Score& score : seed.scored.set.scores) {
    const std::vector<std::size_t> order = importance::ascending(score.values);
    std::vector<std::int64_t> place(order.size());  // 1: the largest
    for (std::size_t i = 0; i < order.size(); ++i) {
      place[order[i]] = static_cast<std::int64_t>(order.size() - i);
    }
    for (const UnitRow& row : seed.units) {
      const auto u = static_cast<std::size_t>(row.unit);
      table.rows.push_back({seed.number(), seed.scored.units.layer(row.unit),
                            seed.scored.units.index(row.unit), score.name, score.values[u],
                            place[u]});
    }
  }
  return table;
}

Table shapes_table(const std::vector<stats::JudgedTest>& shapes) {
  Table table{"shapes", {"statement", "value", "lo", "hi", "runs", "outcome"}, {}};
  for (const stats::JudgedTest& shape : shapes) {
    std::vector<Value> cells = {shape.test.statement.english()};
    append(shape.estimate, cells);
    cells.emplace_back(shape.estimate.n);
    cells.emplace_back(to_string(shape.test.outcome));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

std::vector<Table> make_tables(const std::vector<Judged>& seeds,
                               const std::vector<stats::JudgedTest>& shapes) {
  const SeedResult& first = seeds.front().result;
  return {scores_table(seeds),      oracles_table(seeds),       agreement_table(seeds),
          curves_table(seeds),      finetuned_table(seeds),     entropy_table(seeds),
          damage_table(first),      oracle_scores_table(first), units_table(first),
          unit_scores_table(first), shapes_table(shapes)};
}

}  // namespace xfq::experiments::neuron_importance

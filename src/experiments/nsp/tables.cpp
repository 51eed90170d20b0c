// The tables of the record.
#include "tables.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "../numbers.h"
#include "maths.h"

namespace xfq::experiments::nsp {

namespace {

std::string label_of(corpus::Relation relation) { return corpus::to_string(relation); }

/// Reliability curves: the pairs of all seeds together, bin by bin.
Table calibration_table(const std::vector<Arm>& arms, const std::vector<SeedResult>& seeds) {
  Table table{"calibration", {"arm", "set", "threshold", "probability", "share", "count"}, {}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const ImbalanceScore& first : seeds.front().arms[a].imbalance) {
      for (std::size_t b = 0; b < first.calibration.size(); ++b) {
        stats::CalibrationBin all;
        for (const SeedResult& seed : seeds) {
          const ImbalanceScore& one = *seed.arms[a].find_imbalance(first.set, first.threshold);
          all.probabilities += one.calibration[b].probabilities;
          all.positives += one.calibration[b].positives;
          all.count += one.calibration[b].count;
        }
        if (all.count == 0) continue;
        const auto count = static_cast<double>(all.count);
        table.rows.push_back({arms[a].id, first.set, first.threshold, all.probabilities / count,
                              static_cast<double>(all.positives) / count, all.count});
      }
    }
  }
  return table;
}

}  // namespace

void fill_tables(const std::vector<Arm>& arms, const Bench& bench,
                 const std::vector<SeedResult>& seeds, const Counts& counts, Record& record) {
  Table arms_table{"arms",
                   {"arm", "seed", "objective", "input_format", "labels", "negative_share",
                    "remedy", "loss_weight", "mlm_nll", "learnt"},
                   {}};
  Table transfer{"transfer",
                 {"arm", "seed", "head", "test", "positive", "negative", "pairs", "accuracy", "auc",
                  "ce", "ece"},
                 {}};
  Table probes{"probes", {"arm", "seed", "probe", "method", "accuracy", "auc"}, {}};
  Table imbalance{"imbalance",
                  {"arm", "seed", "trained_share", "remedy", "set", "set_share", "threshold",
                   "accuracy", "majority_floor", "balanced_accuracy", "recall", "f1", "mcc", "auc",
                   "ce", "no_skill_ce", "ece"},
                  {}};
  Table curve{"curve", {"arm", "seed", "share_of_steps", "mlm_loss", "sentence_loss"}, {}};
  const auto add_score = [&](const std::string& arm, std::uint64_t seed, const Score& s,
                             bool probabilities) {
    const Test* const test = bench.find(s.test);
    const auto probability = [&](double x) { return probabilities ? cell(x) : cell(std::nullopt); };
    transfer.rows.push_back({arm, static_cast<std::int64_t>(seed), s.head, s.test,
                             test ? label_of(test->question.positive) : "next",
                             test ? label_of(test->question.negative) : "random",
                             test ? static_cast<std::int64_t>(test->pairs.size()) : std::int64_t{0},
                             s.accuracy, s.auc, probability(s.ce), probability(s.ece)});
  };
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const Arm& arm = arms[a];
    std::vector<std::string> labels;
    if (arm.has_head()) {
      for (const corpus::Relation relation : arm.task.classes) labels.push_back(label_of(relation));
    }
    for (const SeedResult& seed : seeds) {
      const ArmResult& result = seed.arms[a];
      const auto name = static_cast<std::int64_t>(result.seed);
      arms_table.rows.push_back({arm.id, name, arm.objective, arm.input_format, labels,
                                 arm.negative_share, arm.remedy, arm.loss_weight, result.masked_nll,
                                 has_learnt(arm, result, seed.baseline)});
      for (const Score& s : result.scores) add_score(arm.id, result.seed, s, true);
      for (const ProbeScore& p : result.probes) {
        probes.rows.push_back({arm.id, name, p.probe, p.method, p.accuracy, cell(p.auc)});
      }
      for (const ImbalanceScore& s : result.imbalance) {
        imbalance.rows.push_back({arm.id, name, arm.negative_share, arm.remedy, s.set,
                                  s.negative_share, s.threshold, s.accuracy,
                                  std::max(s.negative_share, 1 - s.negative_share),
                                  s.balanced_accuracy, s.recall, cell(s.f1), cell(s.mcc), s.auc,
                                  s.ce, coin_entropy(s.negative_share), s.ece});
      }
      for (std::size_t p = 0; p < result.trace.masked.size(); ++p) {
        curve.rows.push_back(
            {arm.id, name,
             static_cast<double>(p + 1) / static_cast<double>(result.trace.masked.size()),
             result.trace.masked[p],
             arm.has_head() ? cell(result.trace.sentence[p]) : cell(std::nullopt)});
      }
    }
  }
  for (const SeedResult& seed : seeds) {
    for (const Score& s : seed.baseline.scores) {
      add_score("words", seed.baseline.seed, s, s.head == "bag-of-words");
    }
  }
  Table labels{
      "labels",
      {"generator", "pairs", "negatives", "negative_share", "predicted_share", "deviations"},
      {}};
  const corpus::GeneratorCount& g = counts.generator;
  labels.rows.push_back(
      {std::string("bert"), g.rows, g.random, g.counted(), g.predicted(), g.deviations()});
  Table calibration = calibration_table(arms, seeds);
  for (Table* table :
       {&arms_table, &transfer, &probes, &imbalance, &calibration, &labels, &curve}) {
    record.tables.push_back(std::move(*table));
  }
}

}  // namespace xfq::experiments::nsp

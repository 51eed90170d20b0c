#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../numbers.h"
#include "maths.h"
#include "xfq/core/error.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::nsp {

namespace {

using stats::Estimate;

/// The number of one arm and seed; none where it was not measured.
using Number = std::function<std::optional<double>(const SeedResult&)>;

std::optional<std::size_t> position(const std::vector<Arm>& arms, const std::string& id) {
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].id == id) return a;
  }
  return std::nullopt;
}

Estimate over(const std::vector<SeedResult>& seeds, const Number& number) {
  std::vector<double> values;
  for (const SeedResult& seed : seeds) {
    if (const auto value = number(seed)) values.push_back(*value);
  }
  return stats::mean_t(values);
}

std::optional<double> mean_probe_auc(const ArmResult& arm) {
  double sum = 0;
  int count = 0;
  for (const ProbeScore& probe : arm.probes) {
    if (probe.method != "frozen" || !probe.auc) continue;
    sum += *probe.auc;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

const char* head_of(const Arm& arm) { return arm.has_head() ? "own" : "fitted"; }

std::optional<double> score_of(const ArmResult& result, const Arm& arm, const std::string& test,
                               double Score::*what) {
  const Score* const s = result.find_score(test, head_of(arm));
  if (s == nullptr) return std::nullopt;
  return s->*what;
}

/// The most unequal share of negatives that was trained plainly, or the base.
std::optional<std::size_t> most_unequal(const std::vector<Arm>& arms) {
  std::optional<std::size_t> worst;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].id.rfind("nsp.share", 0) != 0 || arms[a].remedy != "none") continue;
    if (!worst || arms[a].negative_share > arms[*worst].negative_share) worst = a;
  }
  return worst;
}

}  // namespace

bool has_learnt(const Arm& arm, const ArmResult& result, const BaselineResult& baseline) {
  if (!arm.has_head() || arm.contrast) return true;
  const std::string test = own_test(arm);
  const Score* const own = result.find_score(test, "own");
  if (own == nullptr) return true;
  // At unequal shares the threshold, not the ranking, goes wrong: that is no plateau.
  if (arm.task.classes.size() == 2 && arm.negative_share != 0.5) return own->auc >= kLearnt;
  const Score* const words = baseline.find_score(test, "bag-of-words");
  return own->accuracy >= kLearnt &&
         (words == nullptr || own->accuracy >= words->accuracy - kBelowWords);
}

Evidence gather(const Options& options, const std::vector<Arm>& arms,
                const std::vector<SeedResult>& seeds, const Counts& counts) {
  Evidence e;
  const auto nsp = position(arms, "nsp"), sop = position(arms, "sop"),
             pair = position(arms, "none.pair"), contiguous = position(arms, "none.contiguous"),
             unequal = most_unequal(arms);
  const auto learnt = [&](const SeedResult& seed, const std::optional<std::size_t>& arm) {
    return arm && has_learnt(arms[*arm], seed.arms[*arm], seed.baseline);
  };
  const auto push = [](std::vector<double>& list, const std::optional<double>& value) {
    if (value) list.push_back(*value);
  };
  for (const SeedResult& seed : seeds) {
    const auto own = [&](std::size_t arm, const char* test, double Score::*what) {
      return score_of(seed.arms[arm], arms[arm], test, what);
    };
    const bool nsp_learnt = learnt(seed, nsp), sop_learnt = learnt(seed, sop);
    if (nsp_learnt && options.negatives[0] == "other-document") {
      const auto auc = own(*nsp, "nsp", &Score::auc);
      push(e.nsp_auc, auc);
      push(e.nsp_order_accuracy, own(*nsp, "sop", &Score::accuracy));
      push(e.nsp_order_auc, own(*nsp, "sop", &Score::auc));
      push(e.nsp_distant_auc, own(*nsp, "distant", &Score::auc));
      if (const auto shifted = own(*nsp, "shifted", &Score::auc)) {
        e.nsp_shifted_drop.push_back(*auc - *shifted);
      }
      if (const Score* words = seed.baseline.find_score("nsp", "bag-of-words")) {
        e.nsp_over_words.push_back(*auc - words->auc);
      }
      if (sop_learnt) {
        push(e.sop_on_nsp, own(*sop, "nsp", &Score::accuracy));
        push(e.nsp_on_sop, own(*nsp, "sop", &Score::accuracy));
      }
    }
    if (sop_learnt) push(e.sop_order_accuracy, own(*sop, "sop", &Score::accuracy));
    if (pair && contiguous) {
      e.mlm_format.push_back(seed.arms[*pair].masked_nll - seed.arms[*contiguous].masked_nll);
    }
    // Differences between arms: a seed counts when all of them count.
    if (nsp_learnt && pair && contiguous) {
      e.mlm_nsp.push_back(seed.arms[*nsp].masked_nll);
      e.mlm_pair.push_back(seed.arms[*pair].masked_nll);
      e.mlm_contiguous.push_back(seed.arms[*contiguous].masked_nll);
    }
    if (nsp_learnt && sop_learnt && pair && contiguous) {
      push(e.probes_nsp, mean_probe_auc(seed.arms[*nsp]));
      push(e.probes_sop, mean_probe_auc(seed.arms[*sop]));
      push(e.probes_pair, mean_probe_auc(seed.arms[*pair]));
      push(e.probes_contiguous, mean_probe_auc(seed.arms[*contiguous]));
    }
    if (nsp_learnt && learnt(seed, unequal) && arms[*nsp].negative_share == 0.5) {
      const ArmResult& balanced = seed.arms[*nsp];
      const ArmResult& other = seed.arms[*unequal];
      const ImbalanceScore* const reference = balanced.find_imbalance("balanced", "plain");
      const ImbalanceScore* const plain = other.find_imbalance("balanced", "plain");
      if (!reference || !plain) continue;
      e.balanced_auc.push_back(reference->auc);
      e.imbalanced_auc.push_back(plain->auc);
      e.balanced_decisions.push_back(reference->balanced_accuracy);
      e.imbalanced_decisions.push_back(plain->balanced_accuracy);
      e.fitted_offset.push_back(other.fitted_offset);
      e.plain_ce.push_back(plain->ce);
      if (const ImbalanceScore* const shifted = other.find_imbalance("balanced", "shifted")) {
        e.shifted_decisions.push_back(shifted->balanced_accuracy);
        e.shifted_ce.push_back(shifted->ce);
      }
    }
  }
  if (unequal) e.imbalanced_share = arms[*unequal].negative_share;
  if (nsp) e.designed_share = arms[*nsp].negative_share;
  e.generator_share = stats::wilson(counts.generator.random, counts.generator.rows);
  e.generator_deviations = counts.generator.deviations();
  e.natural_share = counts.natural_share;
  if (nsp || sop) e.head_flop_share = counts.head_flop_share;
  return e;
}

// --------------------------------------------------------------------- metrics

namespace {

void fill_metrics(const std::vector<Arm>& arms, const std::vector<SeedResult>& seeds,
                  const Counts& counts, Record& record) {
  const auto metric = [&](const std::string& id, const char* unit, Better better,
                          const Number& number) {
    const Estimate estimate = over(seeds, number);
    if (estimate.n > 0) record.metrics.push_back(make_metric(id, unit, better, estimate));
  };
  const auto exact = [&](const std::string& id, const char* unit, double value) {
    record.metrics.push_back(exact_metric(id, unit, Better::none, value));
  };
  const auto contiguous = position(arms, "none.contiguous");

  for (std::size_t a = 0; a < arms.size(); ++a) {
    const Arm& arm = arms[a];
    metric(arm.id + ".mlm_nll", "nats/token", Better::lower,
           [a](const SeedResult& seed) { return seed.arms[a].masked_nll; });
    if (contiguous && a != *contiguous && !arm.contrast) {
      metric(arm.id + ".mlm_delta", "nats/token", Better::lower, [&](const SeedResult& seed) {
        return seed.arms[a].masked_nll - seed.arms[*contiguous].masked_nll;
      });
    }
    if (arm.has_head() && !arm.contrast) {
      metric(arm.id + ".learnt", "share", Better::higher, [&](const SeedResult& seed) {
        return has_learnt(arm, seed.arms[a], seed.baseline) ? 1.0 : 0.0;
      });
    }
    for (const char* test : {"nsp", "sop", "distant", "later", "shifted"}) {
      metric(fmt::format("{}.{}.accuracy", arm.id, test), "share", Better::higher,
             [&](const SeedResult& seed) {
               return score_of(seed.arms[a], arm, test, &Score::accuracy);
             });
      metric(
          fmt::format("{}.{}.auc", arm.id, test), "", Better::higher,
          [&](const SeedResult& seed) { return score_of(seed.arms[a], arm, test, &Score::auc); });
    }
    for (const ProbeScore& probe : seeds.front().arms[a].probes) {
      const std::string id = fmt::format("{}.probe.{}.{}", arm.id, probe.probe, probe.method);
      const auto of = [&](const SeedResult& seed) {
        return seed.arms[a].find_probe(probe.probe, probe.method);
      };
      metric(id + ".accuracy", "share", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->accuracy; });
      metric(id + ".auc", "", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->auc; });
    }
    for (const ImbalanceScore& score : seeds.front().arms[a].imbalance) {
      // At equal shares all four are the same.
      if (arm.negative_share == 0.5 && (score.set != "balanced" || score.threshold != "plain")) {
        continue;
      }
      const std::string id = fmt::format("{}.{}.{}", arm.id, score.set, score.threshold);
      const auto of = [&](const SeedResult& seed) {
        return seed.arms[a].find_imbalance(score.set, score.threshold);
      };
      metric(id + ".accuracy", "share", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->accuracy; });
      metric(id + ".balanced_accuracy", "share", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->balanced_accuracy; });
      metric(id + ".recall", "share", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->recall; });
      metric(id + ".f1", "", Better::higher, [&](const SeedResult& seed) { return of(seed)->f1; });
      metric(id + ".mcc", "", Better::higher,
             [&](const SeedResult& seed) { return of(seed)->mcc; });
      metric(id + ".ce", "nats", Better::lower,
             [&](const SeedResult& seed) { return of(seed)->ce; });
      metric(id + ".ece", "share", Better::lower,
             [&](const SeedResult& seed) { return of(seed)->ece; });
    }
    if (!seeds.front().arms[a].imbalance.empty()) {
      metric(arm.id + ".fitted_offset", "nats", Better::none,
             [&](const SeedResult& seed) { return seed.arms[a].fitted_offset; });
      exact(arm.id + ".majority_floor", "share",
            std::max(arm.negative_share, 1 - arm.negative_share));
      exact(arm.id + ".no_skill_ce", "nats", coin_entropy(arm.negative_share));
    }
  }
  for (const char* head : {"bag-of-words", "tf-idf"}) {
    for (const char* test : {"nsp", "sop", "distant"}) {
      const auto of = [&](double Score::*what) {
        return [=](const SeedResult& seed) -> std::optional<double> {
          const Score* const s = seed.baseline.find_score(test, head);
          if (s == nullptr) return std::nullopt;
          return s->*what;
        };
      };
      metric(fmt::format("{}.{}.accuracy", head, test), "share", Better::higher,
             of(&Score::accuracy));
      metric(fmt::format("{}.{}.auc", head, test), "", Better::higher, of(&Score::auc));
    }
  }

  const corpus::CollisionCount& c = counts.collisions;
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(1, whole));
  };
  exact("collisions.same_document", "share", share(c.same_document, c.draws + c.same_document));
  exact("collisions.same_text", "share", share(c.same_text, c.draws));
  exact("collisions.same_topic", "share", share(c.same_topic, c.draws));
  exact("generator.negative_share", "share", counts.generator.counted());
  exact("generator.predicted_negative_share", "share", counts.generator.predicted());
  exact("generator.deviations", "standard deviations", counts.generator.deviations());
  exact("natural.negative_share", "share", counts.natural_share);
  exact("head.parameters", "parameters", counts.head_parameters);
  exact("head.parameter_share", "share", counts.head_parameter_share);
  exact("head.flop_share", "share", counts.head_flop_share);
  exact("pair.contiguous_tokens", "tokens", counts.pair_run);
  exact("contiguous.contiguous_tokens", "tokens", counts.contiguous_run);

  exact("maths.softmax_minus_sigmoid", "", softmax_sigmoid_error());
  exact("maths.gradient_minus_difference", "", gradient_error());
  double worst = 0;
  for (const int negatives : {500, 750, 900}) {
    std::vector<bool> labels(1000);
    for (int i = negatives; i < 1000; ++i) labels[static_cast<std::size_t>(i)] = true;
    const double bias = fitted_bias(std::vector<double>(labels.size(), 0.0), labels);
    worst = std::max(worst, std::abs(bias - logit(1 - negatives / 1000.0)));
  }
  exact("maths.bias_minus_log_odds", "nats", worst);
}

// ---------------------------------------------------------------------- tables

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

// ---------------------------------------------------------------------- answer

Text answer(const std::vector<Arm>& arms, const std::vector<SeedResult>& seeds,
            const Record& record, const Counts& counts) {
  const auto nsp = position(arms, "nsp"), sop = position(arms, "sop"),
             pair = position(arms, "none.pair"), contiguous = position(arms, "none.contiguous"),
             unequal = most_unequal(arms);
  const auto accuracy = [&](std::size_t arm, const char* test) {
    return with_interval(over(seeds,
                              [&](const SeedResult& seed) {
                                return score_of(seed.arms[arm], arms[arm], test, &Score::accuracy);
                              }),
                         "{:.3f}");
  };
  const auto words = [&](const char* test) {
    return over(seeds,
                [&](const SeedResult& seed) -> std::optional<double> {
                  const Score* const s = seed.baseline.find_score(test, "bag-of-words");
                  if (s == nullptr) return std::nullopt;
                  return s->accuracy;
                })
        .value;
  };
  const auto delta = [&](std::size_t a, std::size_t b) {
    return with_interval(over(seeds,
                              [&](const SeedResult& seed) {
                                return seed.arms[a].masked_nll - seed.arms[b].masked_nll;
                              }),
                         "{:+.3f}");
  };
  const auto learnt = [&](std::size_t arm) {
    return std::count_if(seeds.begin(), seeds.end(), [&](const SeedResult& seed) {
      return has_learnt(arms[arm], seed.arms[arm], seed.baseline);
    });
  };
  const std::string& corpus = record.data.front().name;
  std::vector<Text> sentences = {
      seeds.size() == 1 ? phrase("Measured on {} with one seed.", {corpus})
                        : phrase("Measured on {} with {} seeds.", {corpus, seeds.size()})};
  if (nsp) {
    sentences.push_back(phrase(
        "The nsp head is right on {} of its own pairs, and on {} of pairs whose order was swapped.",
        {accuracy(*nsp, "nsp"), accuracy(*nsp, "sop")}));
  }
  if (sop) {
    sentences.push_back(
        phrase("The sop head is right on {} of swapped pairs, and on {} of nsp's pairs.",
               {accuracy(*sop, "sop"), accuracy(*sop, "nsp")}));
  }
  const auto words_on_nsp = words("nsp"), words_on_order = words("sop");
  if ((nsp || sop) && words_on_nsp && words_on_order) {
    sentences.push_back(
        phrase("A bag of words is right on {:.3f} of nsp's pairs, and on {:.3f} of swapped ones.",
               {*words_on_nsp, *words_on_order}));
  }
  for (const auto& arm : {nsp, sop}) {
    const auto size = static_cast<std::ptrdiff_t>(seeds.size());
    if (!arm || learnt(*arm) == size) continue;
    sentences.push_back(phrase("{} of {} seeds of {} stayed on a plateau and decide no claim.",
                               {size - learnt(*arm), size, arms[*arm].id}));
  }
  if (nsp && contiguous) {
    const Text all = delta(*nsp, *contiguous);
    const double head = 100 * counts.head_flop_share;
    sentences.push_back(
        pair ? phrase("At equal tokens nsp changes the held-out MLM loss by {} nats per hidden "
                      "word, of which {} come with the broken pairs and {} with the second loss; "
                      "the head itself takes {:.2g} % of the floating-point operations.",
                      {all, delta(*pair, *contiguous), delta(*nsp, *pair), head})
             : phrase("At equal tokens nsp changes the held-out MLM loss by {} nats per hidden "
                      "word; the head itself takes {:.2g} % of the floating-point operations.",
                      {all, head}));
  }
  if (unequal && !seeds.front().arms[*unequal].imbalance.empty()) {
    const auto of = [&](const char* set, const char* threshold, double ImbalanceScore::*what) {
      return over(seeds,
                  [&](const SeedResult& seed) -> std::optional<double> {
                    const ImbalanceScore* const s =
                        seed.arms[*unequal].find_imbalance(set, threshold);
                    if (s == nullptr) return std::nullopt;
                    return s->*what;
                  })
          .value.value_or(0);
    };
    using S = ImbalanceScore;
    sentences.push_back(phrase(
        "With {:.0f} % negatives the head finds {:.3f} of the positives while its AUC is {:.3f}.",
        {100 * arms[*unequal].negative_share, of("natural", "plain", &S::recall),
         of("natural", "plain", &S::auc)}));
    if (seeds.front().arms[*unequal].find_imbalance("balanced", "shifted")) {
      sentences.push_back(phrase(
          "A shift of the threshold by the prior brings its balanced accuracy from {:.3f} to "
          "{:.3f}.",
          {of("balanced", "plain", &S::balanced_accuracy),
           of("balanced", "shifted", &S::balanced_accuracy)}));
    }
  }
  sentences.push_back(
      phrase("BERT's own generator would label {:.3f} of the rows negative (predicted {:.3f}).",
             {counts.generator.counted(), counts.generator.predicted()}));
  return paragraph(sentences);
}

void warn_plateaus(const std::vector<Arm>& arms, const std::vector<SeedResult>& seeds,
                   Record& record) {
  std::vector<Text> stuck;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const SeedResult& seed : seeds) {
      if (has_learnt(arms[a], seed.arms[a], seed.baseline)) continue;
      stuck.push_back(
          phrase("{} seed {}", {arms[a].id, static_cast<std::int64_t>(seed.arms[a].seed)}));
    }
  }
  if (stuck.empty()) return;
  record.warnings.push_back(
      {"plateau",
       phrase("these runs did not learn their own task and decide no claim: {}", {listing(stuck)}),
       "train longer: --steps, --mlm-steps"});
}

}  // namespace

void fill_record(const Options& options, const std::vector<Arm>& arms, const Bench& bench,
                 const std::vector<SeedResult>& seeds, const Counts& counts, Record& record) {
  XFQ_ASSERT(!arms.empty() && !seeds.empty());
  fill_metrics(arms, seeds, counts, record);
  fill_tables(arms, bench, seeds, counts, record);
  record.claims = claims(gather(options, arms, seeds, counts));
  record.answer = answer(arms, seeds, record, counts);
  warn_plateaus(arms, seeds, record);
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::nsp

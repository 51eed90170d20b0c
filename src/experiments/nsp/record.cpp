#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "../numbers.h"
#include "maths.h"
#include "tables.h"
#include "xfq/core/error.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::nsp {

namespace {

using stats::Estimate;

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

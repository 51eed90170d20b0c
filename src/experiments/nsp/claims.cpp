#include "claims.h"

#include "maths.h"
#include "xfq/stats/claims.h"

namespace xfq::experiments::nsp {

namespace {

using stats::above;
using stats::at_least;
using stats::at_most;
using stats::below;
using stats::JudgedTest;
using stats::Rule;
using stats::within;

/// Collects the tests of a claim that there are numbers for.
class Tests {
 public:
  void mean(const Text& statement, const Rule& rule, const std::vector<double>& values,
            const Text& condition = {}) {
    if (values.empty()) return;
    tests_.push_back(stats::make_test(statement, rule, stats::mean_t(values), condition));
  }
  void control(const Text& statement, const Rule& rule, const std::vector<double>& values) {
    if (values.empty()) return;
    tests_.push_back(stats::make_control(statement, rule, stats::mean_t(values)));
  }
  /// Of a[i] - b[i].
  void difference(const Text& statement, const Rule& rule, const std::vector<double>& a,
                  const std::vector<double>& b, const Text& condition = {}) {
    if (a.empty() || b.empty()) return;
    tests_.push_back(stats::make_test(statement, rule, stats::paired_t(a, b), condition));
  }
  void exact(const Text& statement, const Rule& rule, const std::optional<double>& value,
             const Text& condition = {}) {
    if (!value) return;
    tests_.push_back(stats::make_test(statement, rule, stats::exact(*value), condition));
  }
  void estimate(const Text& statement, const Rule& rule,
                const std::optional<stats::Estimate>& value, const Text& condition = {}) {
    if (!value) return;
    tests_.push_back(stats::make_test(statement, rule, *value, condition));
  }
  const std::vector<JudgedTest>& all() const { return tests_; }

 private:
  std::vector<JudgedTest> tests_;
};

Claim generalises_poorly(const Evidence& e) {
  Tests t;
  // ALBERT, table 5: the NSP head has 90.5 on NSP and 52.0 on order, the SOP head 86.5.
  t.control("control: the nsp head ranks its own pairs, by its AUC", at_least(0.85), e.nsp_auc);
  t.control("control: order can be learnt here, by the accuracy of the sop head on it",
            at_least(0.75), e.sop_order_accuracy);
  t.mean("no better than words: AUC of the nsp head minus that of a bag of words", at_most(0.05),
         e.nsp_over_words);
  t.mean("accuracy of the nsp head on order", within(0.45, 0.55), e.nsp_order_accuracy,
         "decisions about order");
  t.mean("AUC of the nsp head on order", within(0.45, 0.55), e.nsp_order_auc, "ranking by order");
  t.mean("AUC of the nsp head on segments of one document, neighbours or not", within(0.45, 0.55),
         e.nsp_distant_auc, "ranking within a document");
  t.mean("AUC that the nsp head loses on text of another domain", above(0), e.nsp_shifted_drop,
         "another domain");
  return stats::make_claim("nsp.generalises-poorly",
                           "What next-sentence prediction teaches does not carry over to other "
                           "questions about sentences, or to other text",
                           t.all());
}

Claim negatives_outnumber(const Evidence& e) {
  Tests t;
  t.exact(
      "BERT's generator: counted share of negatives minus 0.5 + 0.5 P(single sentence), in "
      "binomial standard deviations",
      within(-3, 3), e.generator_deviations);
  t.exact("share of negatives by design", above(0.5), e.designed_share, "pairs as asked for");
  t.estimate("share of negatives that BERT's generator makes", above(0.5), e.generator_share,
             "BERT's generator");
  t.exact("share of negatives among all ordered pairs of sentences", above(0.5), e.natural_share,
          "all pairs of a corpus");
  return stats::make_claim("nsp.negatives-outnumber",
                           "Training pairs have more negatives than positives", t.all());
}

Claim extra_cost(const Evidence& e) {
  Tests t;
  t.exact("share of the training's floating-point operations that the head takes", above(0.02),
          e.head_flop_share, "compute");
  t.mean("held-out MLM loss: half of the rows random pairs, minus all rows running on", above(0),
         e.mlm_format, "context");
  return stats::make_claim("nsp.extra-cost", "Next-sentence prediction makes training dearer",
                           t.all());
}

Claim multitask_helps(const Evidence& e) {
  Tests t;
  t.difference("held-out MLM loss: nsp minus MLM alone on text that runs on", below(0), e.mlm_nsp,
               e.mlm_contiguous, "MLM loss");
  t.difference("mean AUC of frozen probes: nsp minus MLM alone", above(0), e.probes_nsp,
               e.probes_contiguous, "probes of nsp");
  t.difference("mean AUC of frozen probes: sop minus MLM alone", above(0), e.probes_sop,
               e.probes_contiguous, "probes of sop");
  return stats::make_claim("nsp.multitask-helps", "A sentence task beside MLM makes a better model",
                           t.all());
}

Claim balancing_helps(const Evidence& e) {
  Tests t;
  const double share = e.imbalanced_share;
  const double odds = logit(share);
  t.difference(phrase("AUC: equal shares minus a share of negatives of {}", {share}), above(0.02),
               e.balanced_auc, e.imbalanced_auc, "ranking");
  t.difference(phrase("balanced accuracy, nothing corrected: equal shares minus a share of "
                      "negatives of {}",
                      {share}),
               above(0.02), e.balanced_decisions, e.imbalanced_decisions, "decisions as they are");
  t.difference(phrase("balanced accuracy, the threshold shifted by the prior's log-odds: equal "
                      "shares minus a share of negatives of {}",
                      {share}),
               above(0.02), e.balanced_decisions, e.shifted_decisions,
               "decisions with a shifted threshold");
  const char* const prior = "prior alone is wrong";
  std::vector<double> off;
  for (const double offset : e.fitted_offset) off.push_back(offset - odds);
  t.mean(phrase("the bias that suits equal shares, minus {:.3f}, the prior's log-odds", {odds}),
         within(-0.2, 0.2), off, prior);
  t.difference("cross-entropy on equal shares: shifted minus plain", below(0), e.shifted_ce,
               e.plain_ce, prior);
  return stats::make_claim("nsp.balancing-helps", "Equal shares of labels make a better classifier",
                           t.all());
}

Claim can_be_dropped(const Evidence& e) {
  Tests t;
  t.difference("held-out MLM loss: nsp minus the same pairs without its loss", at_least(0),
               e.mlm_nsp, e.mlm_pair, "MLM loss, pairs kept");
  t.difference("held-out MLM loss: nsp minus text that runs on", at_least(0), e.mlm_nsp,
               e.mlm_contiguous, "MLM loss, text that runs on");
  t.difference("mean AUC of frozen probes: the same pairs without the loss, minus nsp",
               at_least(-0.02), e.probes_pair, e.probes_nsp, "probes, pairs kept");
  t.difference("mean AUC of frozen probes: text that runs on, minus nsp", at_least(-0.02),
               e.probes_contiguous, e.probes_nsp, "probes, text that runs on");
  return stats::make_claim("nsp.can-be-dropped", "A model does as well without it", t.all());
}

Claim better_task_helps(const Evidence& e) {
  Tests t;
  // ALBERT, table 5: the SOP head has 78.9 on NSP, the NSP head 52.0 on order.
  t.mean("accuracy of the sop head on nsp's pairs", above(0.6), e.sop_on_nsp);
  t.mean("accuracy of the nsp head on order", within(0.45, 0.55), e.nsp_on_sop);
  t.difference("accuracy off the diagonal: sop on nsp minus nsp on order", above(0), e.sop_on_nsp,
               e.nsp_on_sop);
  if (!e.sop_on_nsp.empty() && !e.nsp_on_sop.empty()) {
    double wins = 0;
    for (std::size_t i = 0; i < e.sop_on_nsp.size(); ++i) {
      wins += e.sop_on_nsp[i] > 0.6 && e.sop_on_nsp[i] > e.nsp_on_sop[i] ? 1 : 0;
    }
    t.exact("share of these seeds in which the sop head wins off the diagonal, above 0.6",
            at_least(0.8), wins / static_cast<double>(e.sop_on_nsp.size()));
  }
  return stats::make_claim("nsp.better-task-helps",
                           "A task that topic does not give away, such as sentence order, teaches "
                           "more than next-sentence prediction",
                           t.all());
}

}  // namespace

std::vector<Claim> claims(const Evidence& evidence) {
  return {generalises_poorly(evidence), negatives_outnumber(evidence), extra_cost(evidence),
          multitask_helps(evidence),    balancing_helps(evidence),     can_be_dropped(evidence),
          better_task_helps(evidence)};
}

}  // namespace xfq::experiments::nsp

// The seven claims of question 21, from plain numbers per seed to verdicts. Thresholds
// were fixed before any run; where they come from stands beside each.
#pragma once

#include <optional>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::nsp {

/// One number per seed, arms paired by position. Empty: not measured, and the test that
/// needs it is left out. Seeds that did not learn their own task are not in here.
struct Evidence {
  // Heads on exactly balanced pairs.
  std::vector<double> nsp_auc;                            ///< the nsp head on its own pairs
  std::vector<double> nsp_order_accuracy, nsp_order_auc;  ///< on swapped pairs
  std::vector<double> nsp_distant_auc;     ///< on segments of one document that are not neighbours
  std::vector<double> nsp_shifted_drop;    ///< AUC on its own pairs minus AUC on shifted text
  std::vector<double> nsp_over_words;      ///< its AUC minus that of the bag of words
  std::vector<double> sop_order_accuracy;  ///< the sop head on its own pairs
  // Seeds in which both heads learnt their task.
  std::vector<double> sop_on_nsp, nsp_on_sop;  ///< accuracies off the diagonal

  // Labels.
  std::optional<double> designed_share;            ///< of negatives, as asked for
  std::optional<stats::Estimate> generator_share;  ///< of BERT's generator
  std::optional<double> generator_deviations;      ///< counted against predicted
  std::optional<double> natural_share;             ///< of all ordered pairs of sentences

  // Cost.
  std::optional<double> head_flop_share;  ///< of the floating-point operations of training
  // Held-out MLM loss on contiguous text, nats per hidden word.
  std::vector<double> mlm_nsp, mlm_pair, mlm_contiguous;
  std::vector<double> mlm_format;  ///< pair minus contiguous; no task is in it: every seed
  // Mean AUC of the frozen probes.
  std::vector<double> probes_nsp, probes_sop, probes_pair, probes_contiguous;

  // The most unequal share of negatives against equal shares.
  double imbalanced_share = 0.5;
  std::vector<double> balanced_auc, imbalanced_auc;
  std::vector<double> balanced_decisions, imbalanced_decisions, shifted_decisions;  ///< balanced
                                                                                    ///< accuracy
  std::vector<double> fitted_offset;         ///< the bias that suits equal shares
  std::vector<double> plain_ce, shifted_ce;  ///< on equal shares
};

/// In the order of the interview answer.
std::vector<Claim> claims(const Evidence& evidence);

}  // namespace xfq::experiments::nsp

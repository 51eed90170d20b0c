// Numbers of one seed, and over seeds, that metrics, tables, claims and the answer share.
#include "derived.h"

#include "xfq/stats/intervals.h"

namespace xfq::experiments::nsp {

namespace {

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

}  // namespace

std::optional<double> score_of(const ArmResult& result, const Arm& arm, const std::string& test,
                               double Score::*what) {
  const Score* const s = result.find_score(test, head_of(arm));
  if (s == nullptr) return std::nullopt;
  return s->*what;
}

std::optional<std::size_t> position(const std::vector<Arm>& arms, const std::string& id) {
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].id == id) return a;
  }
  return std::nullopt;
}

stats::Estimate over(const std::vector<SeedResult>& seeds, const Number& number) {
  std::vector<double> values;
  for (const SeedResult& seed : seeds) {
    if (const auto value = number(seed)) values.push_back(*value);
  }
  return stats::mean_t(values);
}

std::optional<std::size_t> most_unequal(const std::vector<Arm>& arms) {
  std::optional<std::size_t> worst;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].id.rfind("nsp.share", 0) != 0 || arms[a].remedy != "none") continue;
    if (!worst || arms[a].negative_share > arms[*worst].negative_share) worst = a;
  }
  return worst;
}

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

}  // namespace xfq::experiments::nsp

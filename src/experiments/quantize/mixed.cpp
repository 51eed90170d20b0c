#include "mixed.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "../numbers.h"
#include "arms.h"
#include "result.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/quant/sensitivity.h"
#include "xfq/stats/correlation.h"

namespace xfq::experiments::quantize {

namespace {

constexpr std::int64_t kCurvePoints = 4;
constexpr double kNotInPlan = -std::numeric_limits<double>::infinity();

/// Activations per token: nothing is calibrated, so a product's rounding does not depend on which
/// others are rounded.
quant::Plan mixed_plan(const Subject& subject) {
  return plan_of(subject.decoder(),
                 site_plan(quant::NumberFormat::integer(kMixedBits), "token", "minmax"),
                 subject.options());
}

/// Half of the sweep tokens: there are many orders to score.
std::int64_t curve_tokens(const Subject& subject) {
  return std::max<std::int64_t>(1, subject.options().sweep_tokens / 2);
}

/// The plan with some products in fp32, from weights that were rounded once.
class Mixture {
 public:
  explicit Mixture(const Subject& subject)
      : subject_(subject),
        plan_(mixed_plan(subject)),
        rounded_(quant::quantize_weights(subject.sites(), subject.parameters(), plan_)) {}

  const quant::Plan& plan() const { return plan_; }
  const quant::QuantizedModel& rounded() const { return rounded_; }

  /// On the first curve tokens; in_fp32 has one entry per product.
  Score score(const std::vector<bool>& in_fp32) {
    const auto found = scores_.find(in_fp32);
    if (found != scores_.end()) return found->second;
    Vector<float> parameters = rounded_.parameters;
    quant::Plan plan = plan_;
    for (std::size_t i = 0; i < in_fp32.size(); ++i) {
      if (!in_fp32[i]) continue;
      const models::LinearSite& site = subject_.sites()[i];
      parameters.segment(site.weight, site.in * site.out) =
          subject_.parameters().segment(site.weight, site.in * site.out);
      plan[i] = {};
    }
    quant::ActivationQuantizer activations(subject_.sites(), plan, {});
    const Score score =
        score_of(subject_.compare(parameters, &activations, curve_tokens(subject_)));
    scores_.emplace(in_fp32, score);
    return score;
  }

 private:
  const Subject& subject_;
  quant::Plan plan_;
  quant::QuantizedModel rounded_;
  std::map<std::vector<bool>, Score> scores_;
};

OrderCurve curve_of(const std::string& name, const std::vector<std::size_t>& order,
                    std::size_t products, Mixture& mixture) {
  OrderCurve curve;
  curve.order = name;
  const auto count = static_cast<std::int64_t>(products);
  for (std::int64_t point = 1; point <= kCurvePoints; ++point) {
    const std::int64_t kept = (count * point + kCurvePoints) / (kCurvePoints + 1);
    if (!curve.kept.empty() && kept == curve.kept.back()) continue;
    std::vector<bool> in_fp32(mixture.plan().size(), false);
    for (std::int64_t i = 0; i < kept; ++i) in_fp32[order[static_cast<std::size_t>(i)]] = true;
    curve.kept.push_back(kept);
    curve.delta_nll.push_back(mixture.score(in_fp32).delta_nll);
    curve.area += curve.delta_nll.back();
  }
  curve.area /= static_cast<double>(curve.kept.size());
  return curve;
}

std::vector<double> fisher_scores(const Subject& subject, const Mixture& mixture) {
  quant::FisherDiagonal fisher(subject.decoder(), subject.data().row_length());
  subject.for_each_calibration_batch(
      curve_tokens(subject), CalibrationText::training,
      [&](const models::TokenBatch& batch) { fisher.add(subject.parameters(), batch); });
  return quant::fisher_scores(subject.sites(), fisher.mean(), subject.parameters(),
                              mixture.rounded().parameters);
}

std::vector<double> sqnr_scores(const Subject& subject, const Mixture& mixture) {
  quant::ActivationQuantizer activations(subject.sites(), mixture.plan(), subject.observations());
  activations.measure(true);
  auto workspace = subject.workspace();
  subject.for_each_calibration_batch(
      curve_tokens(subject), CalibrationText::training, [&](const models::TokenBatch& batch) {
        activations.use_rows(batch.targets);
        subject.decoder().forward<float>(mixture.rounded().parameters.data(), batch, workspace,
                                         &activations);
      });
  return quant::sqnr_scores(subject.sites(), mixture.rounded().tensors, activations.reports());
}

}  // namespace

std::vector<double> kl_scores(const Subject& subject, const quant::Plan& plan,
                              std::int64_t tokens) {
  std::vector<Version> versions(plan.size());
  std::vector<quant::LogitComparison> comparisons(plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (!plan[i].weight) continue;
    versions[i] =
        subject.version(subject.parameters(), quant::only_site(plan, i), subject.observations());
  }
  auto workspace = subject.workspace();
  const Index vocab = subject.decoder().config().vocab;
  Vector<float> original(workspace.logits.size());
  subject.for_each_calibration_batch(
      tokens, CalibrationText::training, [&](const models::TokenBatch& batch) {
        const Index rows = batch.batch * batch.time;
        subject.decoder().forward<float>(subject.parameters().data(), batch, workspace);
        original.head(rows * vocab) = workspace.logits.head(rows * vocab);
        for (std::size_t i = 0; i < plan.size(); ++i) {
          if (!plan[i].weight) continue;
          quant::ActivationQuantizer* const tap = versions[i].activations.get();
          if (tap) tap->use_rows(batch.targets);
          subject.decoder().forward<float>(versions[i].model.parameters.data(), batch, workspace,
                                           tap);
          comparisons[i].add(rows, vocab, original.data(), workspace.logits.data(), batch.targets);
        }
      });
  std::vector<double> scores(plan.size(), kNotInPlan);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].weight) scores[i] = comparisons[i].mean_kl();
  }
  return scores;
}

MixedResult measure_mixed(const Subject& subject) {
  Mixture mixture(subject);
  const quant::Plan& plan = mixture.plan();
  const std::vector<double> sqnr = sqnr_scores(subject, mixture);
  const std::vector<double> kl = kl_scores(subject, plan, curve_tokens(subject));
  std::vector<double> fisher = fisher_scores(subject, mixture);

  MixedResult result;
  std::vector<double> truth(plan.size(), kNotInPlan);
  std::vector<std::size_t> products;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (!plan[i].weight) {
      fisher[i] = kNotInPlan;
      continue;
    }
    std::vector<bool> others(plan.size(), true);
    others[i] = false;
    const Score alone = mixture.score(others);
    truth[i] = alone.delta_nll;
    products.push_back(i);
    result.products.push_back({subject.sites()[i].name, alone, sqnr[i], kl[i], fisher[i]});
  }

  const auto add = [&](const std::string& name, const std::vector<std::size_t>& order) {
    result.curves.push_back(curve_of(name, order, products.size(), mixture));
  };
  add("true", quant::most_sensitive_first(truth));
  add("sqnr", quant::most_sensitive_first(sqnr));
  add("kl", quant::most_sensitive_first(kl));
  add("fisher", quant::most_sensitive_first(fisher));
  for (std::uint64_t draw = 0; draw < kRandomOrders; ++draw) {
    std::vector<std::size_t> order = products;
    Stream(subject.seed(), "quantize/random_order", draw).shuffle(order);
    add(fmt::format("random:{}", draw), order);
  }
  return result;
}

const OrderCurve& MixedResult::curve(const std::string& order) const {
  const auto found = std::find_if(curves.begin(), curves.end(),
                                  [&](const OrderCurve& curve) { return curve.order == order; });
  XFQ_ASSERT(found != curves.end());
  return *found;
}

double MixedResult::share_beaten(const std::string& order) const {
  const double area = curve(order).area;
  int beaten = 0, draws = 0;
  for (const OrderCurve& other : curves) {
    if (other.order.rfind("random:", 0) != 0) continue;
    ++draws;
    if (other.area > area) ++beaten;
  }
  XFQ_ASSERT(draws > 0);
  return static_cast<double>(beaten) / draws;
}

std::optional<double> MixedResult::kendall(const std::string& score) const {
  std::vector<double> predicted, truth;
  for (const SensitivityRow& product : products) {
    predicted.push_back(score == "sqnr" ? product.sqnr
                        : score == "kl" ? product.kl
                                        : product.fisher);
    truth.push_back(product.alone.delta_nll);
  }
  return stats::kendall(predicted, truth);
}

Table sensitivity_table(const std::vector<SeedResult>& seeds) {
  Table table{"sensitivity",
              {"name", "seed", "delta_nll", "kl_mean", "sqnr_score", "kl_score", "fisher_score"},
              {}};
  for (const SeedResult& seed : seeds) {
    if (!seed.mixed) continue;
    for (const SensitivityRow& row : seed.mixed->products) {
      table.rows.push_back({row.name, seed.number(), row.alone.delta_nll, row.alone.kl, row.sqnr,
                            row.kl, row.fisher});
    }
  }
  return table;
}

Table order_curves_table(const std::vector<SeedResult>& seeds) {
  Table table{"order_curves", {"order", "seed", "kept", "delta_nll", "area"}, {}};
  for (const SeedResult& seed : seeds) {
    if (!seed.mixed) continue;
    for (const OrderCurve& curve : seed.mixed->curves) {
      for (std::size_t i = 0; i < curve.kept.size(); ++i) {
        table.rows.push_back(
            {curve.order, seed.number(), curve.kept[i], curve.delta_nll[i], curve.area});
      }
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize

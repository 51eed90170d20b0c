#include "derived.h"

#include <algorithm>

namespace xfq::experiments::neuron_importance {

using importance::Arrangement;
using stats::Estimate;

const AgreementRow* Judged::find(const std::string& score, const std::string& oracle,
                                 const std::string& measure) const {
  for (const AgreementRow& row : agreement) {
    if (row.score == score && row.oracle == oracle && row.measure == measure) return &row;
  }
  return nullptr;
}

std::vector<double> collect(const std::vector<Judged>& seeds, const OfSeed& of) {
  std::vector<double> values;
  for (const Judged& seed : seeds) {
    const Number value = of(seed);
    if (!value) return {};
    values.push_back(*value);
  }
  return values;
}

Estimate estimate(const std::vector<Judged>& seeds, const OfSeed& of) {
  const std::vector<double> values = collect(seeds, of);
  if (!values.empty()) return stats::mean_t(values);
  Estimate none;
  none.reason = "not defined on every run: all values of one side are equal";
  return none;
}

Number rho(const Judged& seed, const std::string& score, const std::string& oracle,
           const std::string& measure, Arrangement arrangement) {
  const AgreementRow* const row = seed.find(score, oracle, measure);
  return row ? row->rho(arrangement).value : std::nullopt;
}

Number difference(const Number& a, const Number& b) {
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

Number area(const std::vector<CurveRow>& rows, const std::string& score,
            const std::string& normalise, const std::string& order) {
  for (const CurveRow& row : rows) {
    if (row.score == score && row.normalise == normalise && row.order == order) {
      return row.curve.area();
    }
  }
  return std::nullopt;
}

std::vector<double> random_areas(const SeedResult& seed) {
  std::vector<double> areas;
  for (const CurveRow& row : seed.curves.rows) {
    if (row.score == "random") areas.push_back(row.curve.area());
  }
  return areas;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Number share_beaten(const SeedResult& seed, const std::string& score,
                    const std::string& normalise) {
  const Number own = area(seed.curves.rows, score, normalise, "lowest");
  if (!own) return std::nullopt;
  const std::vector<double> random = random_areas(seed);
  double beaten = 0;
  for (const double other : random) beaten += other > *own ? 1 : other == *own ? 0.5 : 0;
  return beaten / static_cast<double>(random.size());
}

Number finetuned(const SeedResult& seed, const std::string& score) {
  for (const FinetunedRow& row : seed.focus.finetuned) {
    if (row.score == score) return row.after;
  }
  return std::nullopt;
}

Number reliability(const Judged& seed, const Ablated& ablated, const std::string& measure) {
  return importance::split_half(seed.result.scored.units, ablated.damage(measure, 0),
                                ablated.damage(measure, 1));
}

double share(const Ablated& ablated, const std::function<bool(const importance::Effect&)>& holds) {
  const auto count = std::count_if(ablated.effects.begin(), ablated.effects.end(), holds);
  return static_cast<double>(count) / static_cast<double>(ablated.effects.size());
}

bool better_without(const importance::Effect& effect) { return effect.nll() < 0; }
bool surely_better_without(const importance::Effect& effect) {
  const auto interval = effect.nll_interval();
  return interval && interval->hi < 0;
}

Number entropy_number(const Judged& seed, const std::string& values, const std::string& range,
                      std::int64_t bins, Number EntropyAgreement::*number) {
  for (std::size_t i = 0; i < seed.entropy.size(); ++i) {
    const EntropyRow& row = seed.result.entropies[i];
    if (row.values == values && row.range == range && row.bins == bins && row.miller_madow) {
      return seed.entropy[i].*number;
    }
  }
  return std::nullopt;
}

}  // namespace xfq::experiments::neuron_importance

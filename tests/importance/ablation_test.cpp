// Exact ablation against the model run as a whole, and the measures of damage.
#include "xfq/importance/ablation.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "networks.h"
#include "xfq/importance/agreement.h"
#include "xfq/importance/scores.h"

using namespace xfq::importance;
using xfq::Index;
using xfq::test::KnownDecoder;
using xfq::test::RandomDecoder;
using xfq::test::RandomEncoder;
using xfq::test::steps;

namespace {

/// Puts given values into one unit during a full run of the model.
class Replace final : public UnitTap {
 public:
  Replace(const Units& units, Index unit, Replacement with, const std::vector<float>& means,
          const std::vector<Index>& partners)
      : UnitTap(units), unit_(unit), with_(with), means_(means), partners_(partners) {}

 protected:
  void values(Index layer, float* x, Index rows) override {
    if (layer != units().layer(unit_)) return;
    const Index width = units().width, columns = units().columns();
    const std::vector<float> old(x, x + rows * columns);
    for (Index r = 0; r < rows; ++r) {
      for (Index c = units().index(unit_) * width; c < (units().index(unit_) + 1) * width; ++c) {
        const auto column = static_cast<std::size_t>(layer * columns + c);
        const Index partner = partners_[static_cast<std::size_t>(r)];
        x[r * columns + c] = with_ == Replacement::zero ? 0
                             : with_ == Replacement::mean
                                 ? means_[column]
                                 : old[static_cast<std::size_t>(partner * columns + c)];
      }
    }
  }

 private:
  Index unit_;
  Replacement with_;
  std::vector<float> means_;
  std::vector<Index> partners_;
};

struct Damage {
  double nll = 0, kl = 0, count = 0;
};

/// In double, from the logits of two full runs.
Damage damage(const Network& network, const Batch& batch, const std::vector<float>& before,
              const float* after) {
  const auto vocab = static_cast<std::size_t>(network.vocab());
  const std::vector<Index> rows = network.logit_rows(batch);
  Damage result;
  const auto log_p = [&](const float* x, std::size_t v) {
    double sum = 0;
    for (std::size_t i = 0; i < vocab; ++i) {
      sum += std::exp(static_cast<double>(x[i]) - static_cast<double>(x[v]));
    }
    return -std::log(sum);
  };
  for (std::size_t p = 0; p < rows.size(); ++p) {
    const std::int32_t target = batch.targets[static_cast<std::size_t>(rows[p])];
    if (target < 0) continue;
    const float* const b = before.data() + p * vocab;
    const float* const a = after + p * vocab;
    result.count += 1;
    const auto t = static_cast<std::size_t>(target);
    result.nll += log_p(b, t) - log_p(a, t);
    for (std::size_t v = 0; v < vocab; ++v) {
      result.kl += std::exp(log_p(b, v)) * (log_p(b, v) - log_p(a, v));
    }
  }
  return result;
}

template <class Model>
void check_against_full_runs(const Model& model, UnitKind kind, Replacement replacement) {
  const Units units(*model.network, kind);
  const float* const parameters = model.parameters.data();
  const std::vector<float> means =
      mean_values(gather(*model.network, parameters, model.batches, units, {}));
  const std::vector<Effect> effects =
      ablate(*model.network, parameters, model.batches, units, replacement, means, 9, {});
  REQUIRE(static_cast<Index>(effects.size()) == units.count());
  for (Index unit = 0; unit < units.count(); ++unit) {
    Damage all;
    for (std::size_t i = 0; i < model.batches.size(); ++i) {
      const Batch& batch = model.batches[i];
      // Tokens take the values of others, in the order that the stream shuffles them.
      std::vector<Index> tokens, partners;
      for (Index r = 0; r < batch.rows(); ++r) {
        partners.push_back(r);
        if (!batch.padding(r)) tokens.push_back(r);
      }
      std::vector<Index> shuffled = tokens;
      xfq::Stream(9, "importance/resample", i).shuffle(shuffled);
      for (std::size_t t = 0; t < tokens.size(); ++t) {
        partners[static_cast<std::size_t>(tokens[t])] = shuffled[t];
      }
      const auto pass = model.network->make_pass(batch.batch, batch.time);
      pass->forward(parameters, batch);
      const std::vector<float> before(
          pass->logits(),
          pass->logits() +
              static_cast<Index>(model.network->logit_rows(batch).size()) * model.network->vocab());
      Replace tap(units, unit, replacement, means, partners);
      pass->forward(parameters, batch, &tap);
      const Damage one = damage(*model.network, batch, before, pass->logits());
      all.nll += one.nll;
      all.kl += one.kl;
      all.count += one.count;
    }
    INFO("unit " << unit);
    // Both ways round in float; logits are of order 1.
    const Effect& effect = effects[static_cast<std::size_t>(unit)];
    CHECK(effect.nll() == Approx(all.nll / all.count).margin(2e-6));
    CHECK(effect.kl() == Approx(all.kl / all.count).margin(2e-6));
    CHECK(effect.kl() >= 0);
  }
}

}  // namespace

TEST_CASE("re-running what a unit touches equals running everything") {
  const auto kind = GENERATE(UnitKind::neuron, UnitKind::head, UnitKind::channel);
  const auto replacement = GENERATE(Replacement::zero, Replacement::mean, Replacement::resample);
  check_against_full_runs(RandomDecoder(), kind, replacement);
  check_against_full_runs(RandomEncoder(), kind, replacement);
}

TEST_CASE("damage follows what a neuron is known to do") {
  // input * output runs from 0 to 1; units do the same thing at different strength.
  const KnownDecoder model(std::vector<double>(32, 1.0), steps(32, 0, 1));
  const Units units(*model.network, UnitKind::neuron);
  const float* const parameters = model.parameters.data();
  const std::vector<float> means =
      mean_values(gather(*model.network, parameters, model.batches, units, {}));
  for (const auto replacement : {Replacement::zero, Replacement::mean, Replacement::resample}) {
    const std::vector<Effect> effects =
        ablate(*model.network, parameters, model.batches, units, replacement, means, 1, {});
    CHECK(effects[0].nll() == 0);  // no outgoing weight: the same bits
    CHECK(effects[0].kl() == 0);
    for (std::size_t u = 1; u < effects.size(); ++u) CHECK(effects[u].kl() > effects[u - 1].kl());
  }
}

TEST_CASE("a neuron that never changes matters to zero ablation alone") {
  RandomDecoder model(1);
  const auto& block = model.decoder.blocks()[0];
  const Index hidden = block.config().hidden;
  for (Index c = 0; c < block.config().dim; ++c) {
    model.parameters[block.up().weight + c * hidden + 4] = 0;
  }
  model.parameters[block.up().bias + 4] = 1;
  const Units units(*model.network, UnitKind::neuron);
  const float* const parameters = model.parameters.data();
  const std::vector<float> means =
      mean_values(gather(*model.network, parameters, model.batches, units, {}));
  const auto effect = [&](Replacement replacement) {
    return ablate(*model.network, parameters, model.batches, units, replacement, means, 1, {})
        .at(4)
        .kl();
  };
  CHECK(effect(Replacement::zero) > 1e-4);
  CHECK(effect(Replacement::mean) < 1e-12);
  CHECK(effect(Replacement::resample) == 0);
}

TEST_CASE("changes of predictions in closed form") {
  // p = (1/2, 1/2), p' = (3/4, 1/4): KL = ln(2/3)/2 + ln(2)/2, the first token gains ln(3/2).
  const float before[] = {0, 0};
  const float after[] = {std::log(3.0f), 0};
  double nll = 0, kl = 0;
  PredictionChange change(2, before, {0});
  change.compare([&](Index) { return after; }, &nll, &kl);
  CHECK(nll == Approx(-std::log(1.5)).epsilon(1e-6));
  CHECK(kl == Approx(0.5 * std::log(2.0 / 3) + 0.5 * std::log(2.0)).epsilon(1e-6));
  // Differences beyond the range of exp() in float: p' = (1, e^-200).
  const float far[] = {200, 0};
  PredictionChange wide(2, before, {1});
  wide.compare([&](Index) { return far; }, &nll, &kl);
  CHECK(nll == Approx(200 - std::log(2.0)));
  CHECK(kl == Approx(100 - std::log(2.0)));
  // Small changes keep their digits: KL is half the variance of d under p, here d^2 / 8.
  const float near[] = {1e-3f, 0};
  PredictionChange small(2, before, {0});
  small.compare([&](Index) { return near; }, &nll, &kl);
  CHECK(kl == Approx(1.25e-7).epsilon(1e-3));
}

TEST_CASE("an effect's interval is that of the mean over sequences") {
  Effect effect;
  effect.add(0, 1, 1, 0.1);
  CHECK_FALSE(effect.nll_interval());
  effect.add(1, 1, 2, 0.2);
  effect.add(0, 1, 3, 0.3);
  CHECK(effect.nll() == Approx(2));
  CHECK(effect.nll(0) == Approx(2));
  CHECK(effect.kl(1) == Approx(0.2));
  CHECK(effect.measure("kl") == Approx(0.2));
  CHECK(effect.measure("nll", 1) == Approx(2));
  // 2 -+ t(0.975, 2) / sqrt(3), t = 4.302653 (printed tables).
  REQUIRE(effect.nll_interval());
  CHECK(effect.nll_interval()->hi == Approx(2 + 4.302653 / std::sqrt(3.0)).epsilon(1e-6));
  CHECK(effect.nll_interval()->lo == Approx(2 - 4.302653 / std::sqrt(3.0)).epsilon(1e-6));
}

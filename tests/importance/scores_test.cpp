// Every score on a network whose importances are known, and the sums behind them.
#include "xfq/importance/scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "networks.h"
#include "xfq/core/error.h"
#include "xfq/importance/agreement.h"
#include "xfq/importance/conductance.h"
#include "xfq/importance/excitation.h"
#include "xfq/importance/shapley.h"

using namespace xfq::importance;
using xfq::Index;
using xfq::test::KnownDecoder;
using xfq::test::RandomDecoder;
using xfq::test::RandomEncoder;
using xfq::test::steps;

namespace {

constexpr std::size_t kNeurons = 32;  // 4 * dim of the test networks

Score score_of(const RandomDecoder& model, const std::string& name) {
  ScoreOptions options;
  options.names = {name};
  options.conductance_nodes = 8;
  options.conductance_sequences = 9;
  options.shapley_orders = 20;
  options.shapley_sequences = 9;
  const Units units(*model.network, UnitKind::neuron);
  return compute_scores(*model.network, model.parameters.data(), model.batches, units, options, {})
      .scores.at(0);
}

/// values[j] / values[last] is (of[j] / of[last])^power, up to rounding in float.
void check_proportional(const std::vector<double>& values, const std::vector<double>& of,
                        double power = 1) {
  REQUIRE(values.size() == of.size());
  for (std::size_t j = 0; j < values.size(); ++j) {
    CHECK(values[j] / values.back() == Approx(std::pow(of[j] / of.back(), power)).epsilon(2e-3));
  }
}

void check_equal(const std::vector<double>& values) {
  for (const double value : values) CHECK(value == Approx(values[0]).epsilon(1e-3));
}

}  // namespace

TEST_CASE("neurons that differ in their outgoing weights alone") {
  // Equal values, gradients in proportion to the outgoing weight (1 : 3 over the layer).
  const std::vector<double> output = steps(kNeurons, 1, 3);
  const KnownDecoder model(std::vector<double>(kNeurons, 1.0), output);
  for (const char* name :
       {"gradient", "gradient-norm", "taylor", "gate", "magnitude", "wanda", "conductance"}) {
    INFO(name);
    check_proportional(score_of(model, name).values, output);
  }
  for (const char* name : {"taylor-squared", "fisher", "obd"}) {
    INFO(name);
    check_proportional(score_of(model, name).values, output, 2);
  }
  for (const char* name : {"activation", "mean", "rms", "std", "variance", "active",
                           "entropy-shared", "entropy-own"}) {
    INFO(name);
    check_equal(score_of(model, name).values);
  }
}

TEST_CASE("neurons that differ in the scale of their values alone") {
  const std::vector<double> input = steps(kNeurons, 1, 3);
  const KnownDecoder model(input, std::vector<double>(kNeurons, 1.0));
  for (const char* name :
       {"activation", "mean", "rms", "std", "taylor", "gate", "wanda", "conductance"}) {
    INFO(name);
    check_proportional(score_of(model, name).values, input);
  }
  for (const char* name : {"variance", "taylor-squared", "fisher", "obd"}) {
    INFO(name);
    check_proportional(score_of(model, name).values, input, 2);
  }
  for (const char* name : {"gradient", "gradient-norm", "magnitude"}) {
    INFO(name);
    check_equal(score_of(model, name).values);
  }
  // Over shared bins a wider spread fills more of them; over the own range the scale is gone, but
  // for values that rounding moves over an edge.
  const std::vector<double> shared = score_of(model, "entropy-shared").values;
  CHECK(shared.back() > shared.front() + 0.5);  // ln 3 = 1.1 were the bins fine enough
  for (const double entropy : score_of(model, "entropy-own").values) {
    CHECK(entropy == Approx(score_of(model, "entropy-own").values[0]).margin(0.1));
  }
}

TEST_CASE("Shapley values order the known neurons and sum to the whole") {
  const KnownDecoder model(std::vector<double>(kNeurons, 1.0), steps(kNeurons, 0, 6));
  const Units units(*model.network, UnitKind::neuron);
  const auto shapley =
      sample_shapley(*model.network, model.parameters.data(), model.batches, units, 40, 7, {});
  const std::vector<double> values = shapley.mean();
  // A neuron without outgoing weight changes nothing, whoever else is there.
  CHECK(values[0] == Approx(0).margin(1e-7));
  std::vector<double> magnitude;
  for (const double value : values) magnitude.push_back(std::abs(value));
  CHECK(*spearman(units, magnitude, model.output, Arrangement::within) > 0.8);

  UnitTap off(units);
  off.remove(std::vector<bool>(kNeurons, true));
  double difference = 0, count = 0;
  for (const Batch& batch : model.batches) {
    const auto pass = model.network->make_pass(batch.batch, batch.time);
    pass->forward(model.parameters.data(), batch, &off);
    const xfq::nn::Loss without = pass->loss(batch);
    pass->forward(model.parameters.data(), batch);
    difference += without.sum - pass->loss(batch).sum;
    count += static_cast<double>(without.count);
  }
  CHECK(std::accumulate(values.begin(), values.end(), 0.0) ==
        Approx(difference / count).epsilon(1e-4));
}

TEST_CASE("random scores are reproducible and know nothing") {
  const RandomDecoder model;
  const Score a = score_of(model, "random");
  CHECK(a.values == score_of(model, "random").values);
  CHECK(a.halves[0] != a.halves[1]);
  CHECK(a.tokens == 0);
  CHECK_THROWS_AS(score_of(model, "size"), xfq::Error);
}

namespace {

/// Multiplies the values of one unit.
class Scale final : public UnitTap {
 public:
  Scale(const Units& units, Index unit, float factor)
      : UnitTap(units), unit_(unit), factor_(factor) {}

 protected:
  void values(Index layer, float* x, Index rows) override {
    if (layer != units().layer(unit_)) return;
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < units().width; ++c) {
        x[r * units().columns() + units().index(unit_) * units().width + c] *= factor_;
      }
    }
  }

 private:
  Index unit_;
  float factor_;
};

template <class Model>
void check_gates(const Model& model, UnitKind kind) {
  // A factor m on one unit: dL/dm at m = 1 is the sum over tokens of g a, by central differences.
  const Units units(*model.network, kind);
  const std::vector<Batch> one = first_sequences(model.batches, 1);
  const Halves halves = gather(*model.network, model.parameters.data(), one, units, {});
  const auto loss = [&](Index unit, float factor) {
    Scale tap(units, unit, factor);
    const auto pass = model.network->make_pass(one[0].batch, one[0].time);
    pass->forward(model.parameters.data(), one[0], &tap);
    return pass->loss(one[0]).sum;
  };
  for (Index unit = 0; unit < units.count(); unit += 3) {
    INFO("unit " << unit);
    const double slope = (loss(unit, 1.01f) - loss(unit, 0.99f)) / 0.02;
    // Losses of order 10 carry 1e-6 in float, so the slope 1e-4; its third-order term is smaller.
    CHECK(halves[0].gate_abs[static_cast<std::size_t>(unit)] ==
          Approx(std::abs(slope)).epsilon(2e-3).margin(1e-3));
  }
  // One sequence: all of it is in the first half.
  CHECK(halves[0].sequences == 1);
  CHECK(halves[0].tokens == one[0].lengths[0]);
  CHECK(halves[1].tokens == 0);
}

}  // namespace

TEST_CASE("the gradients behind the scores are those of the summed loss") {
  const auto kind = GENERATE(UnitKind::neuron, UnitKind::head, UnitKind::channel);
  check_gates(RandomDecoder(), kind);
  check_gates(RandomEncoder(), kind);
}

TEST_CASE("sums over halves merge to sums over everything, padding left out") {
  const RandomDecoder model;
  for (const UnitKind kind : {UnitKind::neuron, UnitKind::head, UnitKind::channel}) {
    const Units units(*model.network, kind);
    const Halves halves = gather(*model.network, model.parameters.data(), model.batches, units, {});
    UnitSums all = halves[0];
    all.merge(halves[1]);
    std::int64_t tokens = 0;
    for (const Batch& batch : model.batches) {
      for (const std::int32_t length : batch.lengths) tokens += length;
    }
    CHECK(all.tokens == tokens);
    CHECK(all.sequences == 9);
    // |a|^2 is the sum of the squares of its columns.
    const double columns =
        std::accumulate(all.a_square_column.begin(), all.a_square_column.end(), 0.0);
    CHECK(std::accumulate(all.a_square.begin(), all.a_square.end(), 0.0) == Approx(columns));
    const std::vector<float> means = mean_values(halves);
    REQUIRE(means.size() == all.a.size());
    CHECK(static_cast<double>(means[3]) == Approx(all.a[3] / static_cast<double>(tokens)));
  }
}

TEST_CASE("removed units have no value and no gradient, the others see them gone") {
  const RandomDecoder model;
  const Units units(*model.network, UnitKind::neuron);
  std::vector<bool> removed(static_cast<std::size_t>(units.count()), false);
  removed[3] = true;
  const auto sums =
      gather(*model.network, model.parameters.data(), model.batches, units, {}, removed);
  CHECK(sums[0].a_square[3] == 0);
  CHECK(sums[0].ga_abs[3] == 0);
  const auto whole = gather(*model.network, model.parameters.data(), model.batches, units, {});
  // Neuron 3 of layer 0 feeds layer 1.
  CHECK(sums[0].a_square[40] != whole[0].a_square[40]);
}

TEST_CASE("contributions along the path sum to the loss difference") {
  // The bar of completeness: 1e-4 relative.
  const auto check = [](const auto& model, UnitKind kind) {
    const Units units(*model.network, kind);
    const float* const parameters = model.parameters.data();
    std::vector<float> baseline;
    if (kind == UnitKind::channel) {
      baseline = mean_values(gather(*model.network, parameters, model.batches, units, {}));
    }
    const auto result =
        conductance(*model.network, parameters, model.batches, units, baseline, 4, {});
    REQUIRE(result.loss_difference.size() == 2);
    CHECK(std::abs(result.loss_difference[0]) > 0.1);
    CHECK(result.completeness_error() < 1e-4);
    // Four points are too few for some of it.
    CHECK(result.gradient_passes > 2 * 4);
  };
  const auto kind = GENERATE(UnitKind::neuron, UnitKind::head, UnitKind::channel);
  check(RandomDecoder(), kind);
  check(RandomEncoder(), kind);
}

TEST_CASE("Gauss-Legendre quadrature is exact up to degree 2n - 1") {
  // Two points: 1/2 -+ 1 / (2 sqrt 3), weights 1/2 (Abramowitz & Stegun 25.4.30).
  const Quadrature two = gauss_legendre(2);
  CHECK(two.points[0] == Approx(0.5 - 0.5 / std::sqrt(3.0)).epsilon(1e-14));
  CHECK(two.weights[1] == Approx(0.5).epsilon(1e-14));
  for (const Index nodes : {1, 3, 8, 64, 256}) {
    const Quadrature quadrature = gauss_legendre(nodes);
    const double degree = 2 * static_cast<double>(nodes) - 1;
    double integral = 0;
    for (std::size_t i = 0; i < quadrature.points.size(); ++i) {
      integral += quadrature.weights[i] * std::pow(quadrature.points[i], degree);
    }
    CHECK(integral == Approx(1 / (degree + 1)).epsilon(1e-12));
  }
}

TEST_CASE("entropies of counted values") {
  // Two neurons of one made layer; values fill the four bins evenly, neuron 1 at half the scale.
  Units units;
  units.layers = 1;
  units.per_layer = 2;
  const std::vector<float> levels = {0.5f, 1.5f, 2.5f, 3.5f};
  Halves halves;
  for (auto& half : halves) {
    half.resize(units);
    half.tokens = 8;
    for (const float level : levels) {
      for (std::size_t c = 0; c < 2; ++c) {
        const float value = c == 0 ? level : level / 2;
        half.a[c] += 2 * static_cast<double>(value);
        half.a_square_column[c] += 2 * static_cast<double>(value * value);
        half.lowest[c] = std::min(half.lowest[c], value);
        half.highest[c] = std::max(half.highest[c], value);
      }
    }
  }
  ValueCounts counts(
      units, halves,
      {{Binning::Range::shared, 4}, {Binning::Range::own, 4}, {Binning::Range::shared, 1}});
  for (int i = 0; i < 8; ++i) {
    for (int half = 0; half < 2; ++half) {
      const float level = levels[static_cast<std::size_t>(i % 4)];
      const float values[] = {level, level / 2};
      counts.add(half, 0, values);
    }
  }
  // Four bins, equal counts: ln 4. Miller and Madow add (4 - 1) / (2 N).
  CHECK(counts.entropies(0, false)[0] == Approx(std::log(4.0)));
  CHECK(counts.entropies(0, true)[0] == Approx(std::log(4.0) + 3.0 / 32));
  CHECK(counts.entropies(0, true, 1)[0] == Approx(std::log(4.0) + 3.0 / 16));
  // Shared bins run from .25 to 3.5, .8125 wide: .25 .75 | 1.25 1.75, so two bins in use.
  CHECK(counts.entropies(0, false)[1] == Approx(std::log(2.0)));
  CHECK(counts.entropies(1, false)[1] == Approx(std::log(4.0)));
  CHECK(counts.entropies(2, false)[0] == 0);
  // Root mean square of the layer: sqrt((21 + 21 / 4) / 8) = 1.81; a tenth of it is .18.
  CHECK(counts.active_shares()[1] == 1);
}

TEST_CASE("a unit without spread has no entropy over its own range") {
  Units units;
  units.layers = 1;
  units.per_layer = 1;
  Halves halves;
  for (auto& half : halves) {
    half.resize(units);
    half.tokens = 2;
    half.a[0] = 4;
    half.a_square_column[0] = 8;
    half.lowest[0] = half.highest[0] = 2;
  }
  ValueCounts counts(units, halves, {{Binning::Range::own, 16}, {Binning::Range::clipped, 16}});
  const float value = 2;
  for (int i = 0; i < 4; ++i) counts.add(i % 2, 0, &value);
  CHECK(counts.entropies(0, true)[0] == 0);
  CHECK(counts.entropies(1, true)[0] == 0);
}

TEST_CASE("curvature comes from the model's own predictions") {
  // A model that is sure of its predictions has no curvature, however wrong it is. Here all
  // logits of token 0 are raised by the same large amount through its row of the token table.
  RandomDecoder model(1);
  const Units units(*model.network, UnitKind::neuron);
  const auto curvature = [&] {
    Halves halves = gather(*model.network, model.parameters.data(), model.batches, units, {});
    gather_curvature(*model.network, model.parameters.data(), model.batches, units, 1, {}, {},
                     halves);
    return std::accumulate(halves[0].curvature.begin(), halves[0].curvature.end(), 0.0);
  };
  const double unsure = curvature();
  CHECK(unsure > 1e-3);
  const auto head = model.decoder.linears().back();
  const xfq::nn::LayerNorm& norm = model.decoder.final_norm();
  for (Index c = 0; c < head.in; ++c) {
    model.parameters[norm.bias + c] = c == 0 ? 50.0f : 0.0f;
    model.parameters[head.weight + c] = c == 0 ? 4.0f : 0.0f;
  }
  CHECK(curvature() < 1e-6 * unsure);
}

TEST_CASE("the tokens that excite a channel are those that carry it") {
  RandomDecoder model(1);
  // Nothing is written by the block: the stream is the embedding.
  const auto& block = model.decoder.blocks()[0];
  for (const auto* linear : {&block.context(), &block.down()}) {
    model.parameters.segment(linear->weight, linear->in * linear->out).setZero();
    model.parameters.segment(linear->bias, linear->out).setZero();
  }
  const auto head = model.decoder.linears().back();
  model.parameters[head.weight + 7 * head.in + 3] = 10;  // token 7, channel 3
  const Units units(*model.network, UnitKind::channel);
  const auto tokens =
      exciting_tokens(*model.network, model.parameters.data(), model.batches, units, {3}, 2, 1, {});
  REQUIRE(tokens.at(0).size() == 2);
  CHECK(tokens[0][0] == 7);
}

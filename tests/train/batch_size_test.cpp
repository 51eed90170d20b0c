// What the batch size experiment rests on: SGD, averaged weights, gradient noise,
// accumulation, Hessian-vector products.
#include <algorithm>
#include <cmath>

#include "catch.h"
#include "gradient_check.h"
#include "xfq/core/random.h"
#include "xfq/train/accumulation.h"
#include "xfq/train/gradient_noise.h"
#include "xfq/train/hessian.h"
#include "xfq/train/optimizer.h"
#include "xfq/train/weight_average.h"

namespace xfq::train {

namespace {

const corpus::LanguageData& stories() {
  static const corpus::LanguageData data = [] {
    corpus::LanguageOptions options;
    options.documents = 60;
    options.validation_documents = 5;
    return corpus::load_language_data(options);
  }();
  return data;
}

models::Decoder small_decoder() {
  models::DecoderConfig config;
  config.layers = 2;
  config.dim = 16;
  config.heads = 2;
  config.context = stories().row_length();
  config.vocab = stories().vocabulary_size();
  config.init = 0.2;
  config.embedding_init = 0.1;
  return models::Decoder(config);
}

struct Batch {
  std::vector<std::int32_t> inputs, targets;
  models::TokenBatch tokens;
  explicit Batch(Index count, std::uint64_t number = 0)
      : inputs(static_cast<std::size_t>(count * stories().row_length())), targets(inputs.size()) {
    stories().sample_batch(1, number, count, inputs.data(), targets.data());
    tokens = {count, stories().row_length(), inputs.data(), targets.data(), nullptr};
  }
};

/// Units of `unit` made gradients g_i = G + noise with covariance sd^2 I.
GradientSample made_sample(Index units, Index unit, Index size, double g, double sd) {
  GradientSample sample;
  sample.unit = unit;
  sample.units.setZero(units, size);
  Stream stream(3, "made");
  for (Index i = 0; i < units * unit; ++i) {
    double norm = 0;
    for (Index p = 0; p < size; ++p) {
      const double value = g + sd * stream.normal();
      norm += value * value;
      sample.units(i / unit, p) += static_cast<float>(value / static_cast<double>(unit));
    }
    sample.sequence_norms.push_back(norm);
  }
  return sample;
}

}  // namespace

TEST_CASE("sgd with momentum in closed form") {
  nn::ParameterLayout layout;
  layout.add_matrix("w", 1, 1, nn::Init::zeros());
  layout.add_vector("b", 1, nn::Init::zeros());
  Vector<float> weights = nn::make_parameters<float>(layout);
  Vector<float> gradient = weights;
  weights[0] = weights[16] = 1;
  gradient[0] = gradient[16] = 2;
  OptimizerConfig config;
  config.kind = "sgd";
  config.momentum = 0.5;
  config.schedule = "constant";
  config.warmup = 0;
  config.lr = 0.25;
  config.weight_decay = 0.5;
  config.clip = 0;
  Optimizer optimizer(layout, config);
  optimizer.step(0, weights, gradient);
  // u = 2. Matrix: (1 - 0.25 * 0.5) 1 - 0.25 * 2 = 0.375; the bias has no decay: 0.5.
  CHECK(weights[0] == 0.375f);
  CHECK(weights[16] == 0.5f);
  optimizer.step(1, weights, gradient);
  // u = 0.5 * 2 + 2 = 3: 0.875 * 0.375 - 0.75, and 0.5 - 0.75.
  CHECK(weights[0] == 0.875f * 0.375f - 0.75f);
  CHECK(weights[16] == -0.25f);
  config.clip = 1;  // the norm is sqrt(8)
  config.momentum = 0;
  Optimizer clipped(layout, config);
  weights.setZero();
  clipped.step(0, weights, gradient);
  CHECK(weights[16] == Approx(-0.25 * 2 / std::sqrt(8.0)).epsilon(1e-5));
}

TEST_CASE("the halving schedule halves three times") {
  OptimizerConfig config;
  config.schedule = "halving";
  config.steps = 90;
  config.warmup = 10;
  config.lr = 8;
  // Halves of the 80 steps that follow the warm-up.
  for (const auto& [step, rate] : std::vector<std::pair<std::int64_t, double>>{
           {10, 8}, {49, 8}, {50, 4}, {69, 4}, {70, 2}, {79, 2}, {80, 1}, {89, 1}}) {
    CHECK(learning_rate(config, step) == rate);
  }
}

TEST_CASE("averaged weights follow the recurrence of Karras et al.") {
  Vector<float> weights(1);
  WeightAverage last(0), plain(0.5), recent(0.1);
  double sum = 0;
  for (int t = 1; t <= 1000; ++t) {
    weights[0] = static_cast<float>(t);
    sum += t;
    last.add(t, weights);
    plain.add(t, weights);
    recent.add(t, weights);
    CHECK(last.weights()[0] == weights[0]);
    CHECK(plain.weights()[0] == Approx(sum / t).epsilon(1e-4));
  }
  // The mean age is the share asked for.
  CHECK(recent.weights()[0] == Approx(900).epsilon(0.005));
}

TEST_CASE("noise estimators on gradients with a known noise scale") {
  // |G|^2 = 400 * 0.5^2 = 100, tr(Sigma) = 400 * 4 = 1600, B_simple = 16.
  const GradientSample sample = made_sample(256, 4, 400, 0.5, 2);
  const GradientNoise noise(sample);
  const auto exact = noise.exact();
  CHECK(exact.trace == Approx(1600).epsilon(0.05));
  CHECK(exact.squared_norm == Approx(100).epsilon(0.05));
  REQUIRE(exact.b_simple.has_value());
  CHECK(*exact.b_simple == Approx(16).epsilon(0.05));
  const auto two = noise.two_batch(32, 200, 1);
  CHECK(two.small_batch == 4);
  CHECK(two.big_batch == 128);
  CHECK(two.negative_share == 0);
  REQUIRE(two.b_simple.ci.has_value());
  CHECK(*two.b_simple.value == Approx(16).epsilon(0.05));

  const auto variance = noise.variance_with_replacement();
  REQUIRE(variance.size() == 6);  // 4, 8, ... 128 sequences: eight groups of 32 units left
  for (const auto& v : variance) {
    // The variance over n groups in 400 dimensions has the relative error sqrt(2 / 400 (n - 1)),
    // at most 0.027 for n = 8; four of these.
    CHECK(v.variance == Approx(1600.0 / static_cast<double>(v.batch)).epsilon(0.11));
  }
  for (const auto& v : noise.variance_without_replacement(400, 1)) {
    CHECK(v.variance == Approx(v.expected).epsilon(0.05));
  }
  for (const auto& c : noise.cosines()) {
    CHECK(c.expected == Approx(1 / std::sqrt(1 + *exact.b_simple / static_cast<double>(c.batch))));
    CHECK(c.cosine == Approx(c.expected).epsilon(0.03));
  }
  // An update that is the gradient: both sides are noisy, so the cosine is that with G times
  // that of the rest with G.
  const auto same = noise.update_cosines([](const Vector<float>& g, Vector<float>& u) { u = g; });
  for (const auto& c : same) {
    const double rest = static_cast<double>(1024 - c.batch);
    CHECK(c.cosine ==
          Approx(1 / std::sqrt((1 + 16.0 / static_cast<double>(c.batch)) * (1 + 16.0 / rest)))
              .epsilon(0.03));
  }
}

TEST_CASE("without a gradient there is no noise scale") {
  const GradientSample sample = made_sample(16, 4, 50, 0, 1);
  const GradientNoise noise(sample);
  const auto exact = noise.exact();
  // |G|^2 = 0 is estimated with the error sqrt(2 / 50) tr / N; either sign may come out.
  CHECK(exact.b_simple.has_value() == (exact.squared_norm > 0));
  CHECK(std::abs(exact.squared_norm) < 4 * std::sqrt(2.0 / 50) * exact.trace / 64);
  CHECK(noise.two_batch(8, 50, 1).negative_share > 0);
}

TEST_CASE("sampled gradients are those of one-by-one backward passes in double") {
  const models::Decoder decoder = small_decoder();
  Vector<float> parameters;
  nn::initialise(decoder.layout(), 1, parameters);
  const Index units = 2, unit = 3;
  const GradientSample sample = sample_gradients(decoder, parameters, stories(), 1, 7, units, unit);
  const Batch batch(units * unit, 7);
  const Vector<double> exact = parameters.cast<double>();
  auto workspace = decoder.make_workspace<double>(units * unit, batch.tokens.time);
  const double predictions = static_cast<double>(
      std::count_if(batch.targets.begin(), batch.targets.end(), [](auto t) { return t >= 0; }));
  for (Index i = 0; i < units * unit; ++i) {
    Vector<double> gradient = nn::make_parameters<double>(decoder.layout());
    const models::TokenBatch one{1, batch.tokens.time, batch.tokens.inputs + i * batch.tokens.time,
                                 batch.tokens.targets + i * batch.tokens.time, nullptr};
    decoder.forward_backward(exact.data(), one, workspace, gradient.data(),
                             static_cast<double>(units * unit) / predictions);
    CHECK(sample.sequence_norms[static_cast<std::size_t>(i)] ==
          Approx(gradient.squaredNorm()).epsilon(1e-4));
  }
  // The mean over the units is the gradient of the mean loss of the batch.
  Vector<double> whole = nn::make_parameters<double>(decoder.layout());
  decoder.forward_backward(exact.data(), batch.tokens, workspace, whole.data());
  const Vector<double> mean = sample.units.cast<double>().colwise().mean();
  CHECK((mean - whole).norm() < 1e-5 * whole.norm());
}

TEST_CASE("the update of Adam for a gradient is the one that the optimizer makes") {
  nn::ParameterLayout layout;
  layout.add_vector("b", 16, nn::Init::zeros());
  OptimizerConfig config;
  config.schedule = "constant";
  config.warmup = 0;
  config.lr = 1;
  config.steps = 3;
  Optimizer optimizer(layout, config);
  Vector<float> weights = nn::make_parameters<float>(layout), update;
  optimizer.step(0, weights, Vector<float>::LinSpaced(16, -1, 2));
  const Vector<float> before = weights, gradient = Vector<float>::LinSpaced(16, 3, -2);
  optimizer_update(config, 1, optimizer.first_moment(), optimizer.second_moment())(gradient,
                                                                                   update);
  optimizer.step(1, weights, gradient);
  CHECK((weights - before - update).norm() < 1e-5f * update.norm());
}

TEST_CASE("accumulation is the big batch, and the mean of means is not") {
  const models::Decoder decoder = small_decoder();
  Vector<float> parameters;
  nn::initialise(decoder.layout(), 1, parameters);
  const Batch batch(6);
  for (const Index part : {Index(1), Index(2), Index(4), Index(6)}) {
    CAPTURE(part);
    const AccumulationCheck check = check_accumulation(decoder, parameters, batch.tokens, part);
    CHECK(check.rest_is_equal);
    CHECK(check.share_of_bound <= 1);
    // The whole batch in one part is the same computation.
    CHECK((check.difference == 0) == (part == 6));
  }
  CHECK(mean_of_means_error(decoder, parameters, batch.tokens, 6) == 0);
  // Stories differ in length by a factor up to two.
  CHECK(mean_of_means_error(decoder, parameters, batch.tokens, 1) > 1e-3);
}

TEST_CASE("Hessian-vector products are the slope of the gradient") {
  const models::Decoder decoder = small_decoder();
  Vector<float> initial;
  nn::initialise(decoder.layout(), 1, initial);
  const Vector<double> parameters = initial.cast<double>();
  const Batch batch(2);
  const Index size = parameters.size();
  Vector<double> v = test::random_vector(size, "v"), u = test::random_vector(size, "u");
  v.normalize();
  u.normalize();
  auto duals = decoder.make_workspace<Dual<double>>(2, batch.tokens.time);
  auto plain = decoder.make_workspace<double>(2, batch.tokens.time);
  Vector<double> hv, hu;
  hessian_vector_product(decoder, parameters, batch.tokens, v, duals, hv);
  hessian_vector_product(decoder, parameters, batch.tokens, u, duals, hu);
  const auto gradient = [&](double step) {
    const Vector<double> at = parameters + step * v;
    Vector<double> g = nn::make_parameters<double>(decoder.layout());
    decoder.forward_backward(at.data(), batch.tokens, plain, g.data());
    return g;
  };
  // Richardson's extrapolation of central differences, error O(h^4).
  const double h = 1e-3;
  const Vector<double> coarse = (gradient(h) - gradient(-h)) / (2 * h);
  const Vector<double> fine = (gradient(h / 2) - gradient(-h / 2)) / h;
  CHECK(((4 * fine - coarse) / 3 - hv).norm() < 1e-8 * hv.norm());
  // Symmetric.
  CHECK(u.dot(hv) == Approx(v.dot(hu)).epsilon(1e-10));

  auto floats = decoder.make_workspace<Dual<float>>(2, batch.tokens.time);
  Vector<float> single;
  hessian_vector_product(decoder, initial, batch.tokens, Vector<float>(v.cast<float>()), floats,
                         single);
  CHECK((single.cast<double>() - hv).norm() < 1e-4 * hv.norm());
}

TEST_CASE("power iteration finds the eigenvalue and bounds its error") {
  const auto diagonal = [](std::vector<float> values) {
    return [values](const Vector<float>& v, Vector<float>& product) {
      product =
          Eigen::Map<const Vector<float>>(values.data(), Index(values.size())).cwiseProduct(v);
    };
  };
  const Eigenvalue top = power_iteration(4, diagonal({5, 2, -1, 0.5}), 1, 1e-4, 1000);
  CHECK(top.value == Approx(5).epsilon(1e-4));
  CHECK(top.residual <= 1e-4 * 5);
  CHECK(std::abs(top.value - 5) <= top.residual + 1e-6);
  // The largest magnitude is negative; the largest eigenvalue is 2.
  CHECK(power_iteration(3, diagonal({-7, 2, 1}), 1, 1e-4, 1000).value == Approx(-7).epsilon(1e-3));
  CHECK(largest_eigenvalue(3, diagonal({-7, 2, 1}), 1, 1e-5, 1000).value ==
        Approx(2).epsilon(1e-2));
  const Eigenvalue stopped = power_iteration(4, diagonal({5, 4.9f, 4.8f, 0}), 1, 0, 3);
  CHECK(stopped.products == 3);
  CHECK(power_iteration(2, diagonal({0, 0}), 1, 0.1, 9).value == 0);
}

}  // namespace xfq::train

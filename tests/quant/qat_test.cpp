// Quantization-aware training: rounding per step, straight-through gradients, a small run.
#include "xfq/quant/qat.h"

#include <algorithm>
#include <cmath>

#include "allocations.h"
#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/hadamard.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::nn::Site;
using xfq::test::TinyDecoder;

namespace {

SitePlan setting_of(int bits, const Granularity& weight_scales, Scheme scheme,
                    const char* calibration) {
  const auto format = NumberFormat::integer(bits, scheme);
  SitePlan setting;
  setting.weight = WeightSetting{format, weight_scales, parse_calibration(calibration)};
  setting.activation = ActivationSetting{format, Granularity::token(), true, {}};
  return setting;
}

std::vector<float> to_vector(const float* values, Index size) { return {values, values + size}; }

}  // namespace

TEST_CASE("rounded weights are those of quantize_weights") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const Index size = tiny.parameters.size();
  for (const auto& granularity :
       {Granularity::tensor(), Granularity::channel(), Granularity::groups_of(24)}) {
    for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
      for (const int transform : {0, 1, 2}) {
        INFO(to_string(granularity) << " " << to_string(scheme) << transform);
        Plan plan = make_plan(sites, setting_of(4, granularity, scheme, "minmax"),
                              {Selection::Kind::without_head, {}});
        for (SitePlan& site : plan) {
          site.input.hadamard = transform == 1;
          if (transform == 2) site.input.outlier_columns = {1, 30};
        }
        WeightRounder rounder(sites, plan, tiny.parameters);
        Vector<float> parameters = tiny.parameters;
        for (int step = 0; step < 2; ++step) {
          CHECK(
              to_vector(rounder.round(parameters.data()), size) ==
              to_vector(quantize_weights(tiny.decoder, parameters, plan).parameters.data(), size));
          parameters *= 1.37f;  // and after the weights have moved
          parameters[sites[2].weight] = 3.0f;
        }
      }
    }
  }
  // Calibrated thresholds follow as a share of the largest weight.
  const Plan plan =
      make_plan(sites, setting_of(3, Granularity::channel(), Scheme::symmetric, "mse"));
  WeightRounder rounder(sites, plan, tiny.parameters);
  const auto expected = quantize_weights(tiny.decoder, tiny.parameters, plan).parameters;
  const float* rounded = rounder.round(tiny.parameters.data());
  double clipped = 0;
  for (Index i = 0; i < size; ++i) {
    CHECK(rounded[i] == Approx(static_cast<double>(expected[i])).margin(1e-6));
    clipped = std::max(clipped, std::abs(static_cast<double>(tiny.parameters[i] - rounded[i])));
  }
  const std::vector<float> once = to_vector(rounded, size);
  const Vector<float> doubled = 2 * tiny.parameters;
  const float* twice = rounder.round(doubled.data());
  for (Index i = 0; i < size; ++i) CHECK(twice[i] == 2 * once[static_cast<std::size_t>(i)]);
}

TEST_CASE("rounding a step's weights allocates nothing") {
#ifdef XFQ_COUNTS_ALLOCATIONS
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  Plan plan = make_plan(sites, setting_of(4, Granularity::channel(), Scheme::symmetric, "minmax"));
  plan[1].input.hadamard = true;
  plan[2].input.outlier_columns = {3};
  WeightRounder rounder(sites, plan, tiny.parameters);
  ActivationQuantizer activations(sites, plan, {});
  activations.train(true);
  Vector<float> gradients = Vector<float>::Zero(tiny.parameters.size());
  const auto step = [&] {
    tiny.decoder.forward_backward(rounder.round(tiny.parameters.data()), tiny.batch, tiny.workspace,
                                  gradients.data(), 0.0f,
                                  static_cast<xfq::nn::Tap<float>*>(&activations));
  };
  step();
  const long before = xfq::test::allocations.load();
  step();
  CHECK(xfq::test::allocations.load() == before);
#endif
}

TEST_CASE("an activation's gradient stops where it was clipped") {
  xfq::models::LinearSite site;
  site.name = "made";
  site.input = {Site::mlp_hidden, 0};
  site.in = 4;
  site.out = 1;
  SitePlan setting;
  setting.activation =
      ActivationSetting{NumberFormat::integer(4), Granularity::tensor(), false, {}};
  const std::vector<float> calibration = {7.0f, -7.0f, 0.0f, 1.0f};  // step 1, codes -7 .. 7
  const auto run = [&](const SitePlan& plan, std::vector<float> x, std::vector<float> d) {
    ActivationQuantizer quantizer({site}, {plan}, {observe(calibration.data(), 1, 4)});
    quantizer.backward({Site::mlp_hidden, 0}, d.data(), 1, 4);
    CHECK(d == std::vector<float>{1, 2, 3, 4});  // not while evaluating
    quantizer.train(true);
    quantizer.forward({Site::mlp_hidden, 0}, x.data(), 1, 4);
    quantizer.backward({Site::mlp_hidden, 0}, d.data(), 1, 4);
    return d;
  };
  // Clipped means beyond half an interval, so that the largest value itself is not.
  CHECK(run(setting, {7.4f, -7.6f, 0.2f, 100.0f}, {1, 2, 3, 4}) == std::vector<float>{1, 0, 3, 0});
  // Outlier columns are not rounded: nothing stops there.
  SitePlan kept = setting;
  kept.input.outlier_columns = {3};
  CHECK(run(kept, {7.4f, -7.6f, 0.2f, 100.0f}, {1, 2, 3, 4}) == std::vector<float>{1, 0, 3, 4});

  // Rotated: the clipped coordinate is one of the rotated input.
  SitePlan rotated = setting;
  rotated.input.hadamard = true;
  const Hadamard hadamard(4);
  std::vector<float> x = {0, 0, 20, 0};
  hadamard.rotate_back(1, x.data());  // rotated it is (0, 0, 20, 0)
  std::vector<float> expected = {1, 2, 3, 4};
  hadamard.rotate(1, expected.data());
  expected[2] = 0;
  hadamard.rotate_back(1, expected.data());
  const auto d = run(rotated, x, {1, 2, 3, 4});
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(d[i] == Approx(static_cast<double>(expected[i])).margin(1e-5));
  }
}

TEST_CASE("the gradient is that of the rounded model") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const Plan plan =
      make_plan(sites, setting_of(4, Granularity::channel(), Scheme::symmetric, "minmax"));
  WeightRounder rounder(sites, plan, tiny.parameters);
  ActivationQuantizer activations(sites, plan, {});
  activations.train(true);
  Vector<float> through = Vector<float>::Zero(tiny.parameters.size());
  tiny.decoder.forward_backward(rounder.round(tiny.parameters.data()), tiny.batch, tiny.workspace,
                                through.data(), 0.0f,
                                static_cast<xfq::nn::Tap<float>*>(&activations));
  // Ranges found in the batch clip nothing, so the tap's backward is the identity.
  const auto model = quantize_weights(tiny.decoder, tiny.parameters, plan);
  ActivationQuantizer plain(sites, plan, {});
  Vector<float> expected = Vector<float>::Zero(tiny.parameters.size());
  tiny.decoder.forward_backward(model.parameters.data(), tiny.batch, tiny.workspace,
                                expected.data(), 0.0f, static_cast<xfq::nn::Tap<float>*>(&plain));
  CHECK(through == expected);
}

TEST_CASE("a short training recovers what 3 bits cost") {
  TinyDecoder tiny;
  // Something to learn: each token is followed by one of its own.
  for (std::size_t i = 0; i < tiny.targets.size(); ++i) tiny.targets[i] = tiny.inputs[i] * 5 % 37;
  tiny.batch.targets = tiny.targets.data();
  const auto sites = tiny.decoder.linears();
  const Plan plan =
      make_plan(sites, setting_of(3, Granularity::channel(), Scheme::symmetric, "minmax"));
  ActivationQuantizer activations(sites, plan, {});
  activations.train(true);
  const auto quantized_loss = [&](const Vector<float>& parameters) {
    const auto model = quantize_weights(tiny.decoder, parameters, plan);
    tiny.logits(model.parameters, &activations);
    return tiny.decoder.loss(tiny.batch, tiny.workspace).mean();
  };
  Vector<float> gradients(tiny.parameters.size());
  // Plain gradient descent; fp32 first, then the same number of steps through the rounding.
  const auto train = [&](int steps, bool rounded, Vector<float> parameters) {
    WeightRounder rounder(sites, plan, parameters);
    for (int step = 0; step < steps; ++step) {
      gradients.setZero();
      tiny.decoder.forward_backward(
          rounded ? rounder.round(parameters.data()) : parameters.data(), tiny.batch,
          tiny.workspace, gradients.data(), 0.0f,
          rounded ? static_cast<xfq::nn::Tap<float>*>(&activations) : nullptr);
      parameters -= 0.1f * gradients;
    }
    return parameters;
  };
  const Vector<float> trained = train(60, false, tiny.parameters);
  const Vector<float> longer = train(60, false, trained);
  const Vector<float> aware = train(60, true, trained);
  tiny.logits(trained);
  const double fp32 = tiny.decoder.loss(tiny.batch, tiny.workspace).mean();
  const double before = quantized_loss(trained);
  CHECK(before > fp32 + 0.1);
  // More training alone does not do it; training through the rounding takes off half of the gap.
  CHECK(quantized_loss(aware) < fp32 + 0.5 * (before - fp32));
  CHECK(quantized_loss(aware) < quantized_loss(longer));
}

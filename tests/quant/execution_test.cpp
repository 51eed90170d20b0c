// Products of codes: integers and floats give the same bits.
#include "xfq/quant/execution.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/kernels/kernels.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/outliers.h"
#include "xfq/quant/quality.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::nn::Product;
using xfq::nn::Site;
using xfq::test::sample;
using xfq::test::Shape;
using xfq::test::TinyDecoder;

namespace {

SitePlan setting_of(const NumberFormat& weight, const Granularity& weight_scales,
                    const NumberFormat& activation, const Granularity& activation_scales,
                    bool dynamic) {
  SitePlan setting;
  setting.weight = WeightSetting{weight, weight_scales, {}};
  setting.activation = ActivationSetting{activation, activation_scales, dynamic, {}};
  return setting;
}

// The same for weights and activations.
SitePlan setting_of(int bits, Scheme scheme, const Granularity& activation_scales, bool dynamic) {
  const auto format = NumberFormat::integer(bits, scheme);
  return setting_of(format, Granularity::channel(), format, activation_scales, dynamic);
}

std::vector<Observation> observe_inputs(TinyDecoder& tiny, const Plan& plan) {
  ActivationObserver observer(tiny.decoder.linears(), input_transforms(plan));
  tiny.logits(tiny.parameters, &observer);
  observer.start_second_pass();
  tiny.logits(tiny.parameters, &observer);
  return observer.observations();
}

struct Logits {
  std::vector<float> rounded;  // operands rounded, product in float
  std::vector<float> fake;
  std::vector<float> integer;
};

Logits run(TinyDecoder& tiny, const Plan& plan) {
  const auto sites = tiny.decoder.linears();
  const auto observations = observe_inputs(tiny, plan);
  const QuantizedModel model = quantize_weights(tiny.decoder, tiny.parameters, plan);
  const auto logits = [&](const Execution* how) {
    ActivationQuantizer quantizer(sites, plan, observations);
    if (how != nullptr) quantizer.execute(model, *how);
    quantizer.use_rows(tiny.targets.data());
    return tiny.logits(model.parameters, &quantizer);
  };
  const Execution fake = Execution::fake;
  const Execution integer = Execution::integer;
  return {logits(nullptr), logits(&fake), logits(&integer)};
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i] - b[i])));
  }
  return largest;
}

}  // namespace

TEST_CASE("integer execution equals fake quantization bit for bit") {
  TinyDecoder tiny;
  for (std::size_t r = 0; r < tiny.targets.size(); r += 5) tiny.targets[r] = -1;
  const auto sites = tiny.decoder.linears();
  for (const int bits : {2, 4, 7, 8}) {
    for (const Scheme weight_scheme : {Scheme::symmetric, Scheme::affine}) {
      for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
        for (const auto& weight_scales : {Granularity::tensor(), Granularity::channel()}) {
          for (const auto& scales : {Granularity::tensor(), Granularity::token()}) {
            for (const bool dynamic : {false, true}) {
              INFO(bits << " " << to_string(weight_scheme) << " " << to_string(scheme) << " "
                        << to_string(weight_scales) << " " << to_string(scales) << dynamic);
              const SitePlan setting =
                  setting_of(NumberFormat::integer(bits, weight_scheme), weight_scales,
                             NumberFormat::integer(bits, scheme), scales, dynamic);
              CHECK(integer_refusal(setting).empty());
              const Logits logits = run(tiny, make_plan(sites, setting));
              CHECK(logits.fake == logits.integer);
              if (bits == 8) {
                // Another order of roundings. A value on the edge of two codes may fall to the
                // other side later on, so 8-bit steps show, in logits of a few units.
                CHECK(largest_difference(logits.fake, logits.rounded) < 0.2);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("one product: codes against rounded operands") {
  // No later layer in the way: y differs from the float product of the rounded operands by the
  // rounding of that product, at most (K + 3) 2^-24 sum |x||w|, and three more roundings.
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  const Plan plan = make_plan(sites, setting_of(8, Scheme::affine, Granularity::token(), true),
                              {Selection::Kind::list, {"wte"}});
  const Logits logits = run(tiny, plan);
  CHECK(logits.fake == logits.integer);
  CHECK(logits.fake != logits.rounded);
  // sum |x||w| <= 32 * 5 * 1.2
  CHECK(largest_difference(logits.fake, logits.rounded) < 38 * std::exp2(-24) * 192);
}

TEST_CASE("every kernel gives the same bits") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
    const Plan plan = make_plan(sites, setting_of(8, scheme, Granularity::token(), true));
    const std::vector<float> expected = run(tiny, plan).integer;
    for (const std::string& kernel : xfq::kernels::available()) {
      if (kernel == "eigen") continue;  // its float sums are in another order (attention)
      INFO(kernel);
      xfq::kernels::select(kernel);
      const Logits logits = run(tiny, plan);
      xfq::kernels::select("auto");
      CHECK(logits.integer == expected);
      CHECK(logits.fake == expected);
    }
  }
}

TEST_CASE("rotations and outlier columns in integers") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  tiny.parameters = amplify_outliers(tiny.decoder, tiny.parameters, 50, outlier_channels(32, 2, 1));
  const auto original = tiny.logits(tiny.parameters);
  const auto kl_to_original = [&](const std::vector<float>& logits) {
    LogitComparison comparison;
    comparison.add(tiny.rows(), 37, original.data(), logits.data(), tiny.targets.data());
    return comparison.mean_kl();
  };
  for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
    for (const auto& scales : {Granularity::tensor(), Granularity::token()}) {
      INFO(to_string(scheme) << " " << to_string(scales));
      const Plan plain = make_plan(sites, setting_of(8, scheme, scales, false));
      Plan rotated = plain;
      Plan kept = plain;
      const auto observations = observe_inputs(tiny, plain);
      for (std::size_t s = 0; s < sites.size(); ++s) {
        rotated[s].input.hadamard = true;
        kept[s].input.outlier_columns = outlier_columns(observations[s]);
      }
      CHECK(kept[0].input.outlier_columns == outlier_channels(32, 2, 1));
      const Logits broken = run(tiny, plain);
      const Logits turned = run(tiny, rotated);
      const Logits spared = run(tiny, kept);
      CHECK(turned.fake == turned.integer);
      CHECK(spared.fake == spared.integer);
      // What both are for. At a width of 32 a rotation makes an outlier sqrt(32) times smaller.
      CHECK(kl_to_original(turned.integer) < 0.5 * kl_to_original(broken.integer));
      CHECK(kl_to_original(spared.integer) < 0.1 * kl_to_original(broken.integer));
      CHECK(kl_to_original(spared.rounded) < 0.1 * kl_to_original(broken.rounded));
      CHECK(kl_to_original(turned.rounded) < 0.5 * kl_to_original(broken.rounded));
    }
  }
}

TEST_CASE("sums longer than fp32 holds exactly") {
  // 2^24 / 127^2, / (255 * 127), / 255^2
  const auto symmetric = NumberFormat::integer(8);
  const auto affine = NumberFormat::integer(8, Scheme::affine);
  CHECK(exact_depth(symmetric, symmetric) == 1040);
  CHECK(exact_depth(affine, symmetric) == 518);
  CHECK(exact_depth(affine, affine) == 258);
  CHECK(exact_depth(NumberFormat::integer(2), NumberFormat::integer(2)) == 1 << 24);

  xfq::models::LinearSite site;
  site.name = "made";
  site.input = {Site::mlp_hidden, 0};
  site.in = 2100;
  site.out = 3;
  // Large values of one sign, so that sums pass 2^24 and are odd.
  std::vector<float> x(static_cast<std::size_t>(4 * site.in));
  Vector<float> parameters(site.in * site.out + 3);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(100 + i % 28);
  for (Index i = 0; i < parameters.size(); ++i) {
    parameters[i] = static_cast<float>(127 - i % 7);
  }
  site.bias = site.in * site.out;
  for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
    const Plan plan = {setting_of(8, scheme, Granularity::tensor(), true)};
    const QuantizedModel model = quantize_weights({site}, parameters, plan);
    std::vector<float> outputs[2];
    for (const Execution how : {Execution::fake, Execution::integer}) {
      ActivationQuantizer quantizer({site}, plan, {});
      quantizer.execute(model, how);
      std::vector<float> input = x;
      std::vector<float>& y = outputs[how == Execution::fake ? 0 : 1];
      y.resize(12);
      quantizer.forward({Site::mlp_hidden, 0}, input.data(), 4, site.in);
      Product<float> product;
      product.rows = 4;
      product.in = site.in;
      product.out = 3;
      product.x = input.data();
      product.bias = model.parameters.data() + site.bias;
      product.y = y.data();
      CHECK(quantizer.product({Site::mlp_hidden, 0}, product));
      CHECK(!quantizer.product({Site::mlp_input, 0}, product));
    }
    CHECK(outputs[0] == outputs[1]);
    if (scheme == Scheme::symmetric) {
      // Codes equal values here: the sum of column 0 over row 0, exact in double.
      double sum = 0;
      for (Index i = 0; i < site.in; ++i) {
        sum += static_cast<double>(x[static_cast<std::size_t>(i)]) *
               static_cast<double>(parameters[3 * i]);
      }
      CHECK(sum > std::exp2(24));
      CHECK(outputs[0][0] ==
            Approx(sum + static_cast<double>(parameters[site.bias])).epsilon(1e-6));
    }
  }
}

TEST_CASE("what has no integer route, and what stays in floats") {
  const auto refusal = [](const NumberFormat& weight, const Granularity& weight_scales,
                          const NumberFormat& activation, const Granularity& scales) {
    return integer_refusal(setting_of(weight, weight_scales, activation, scales, true));
  };
  const auto int8 = NumberFormat::integer(8);
  const auto channel = Granularity::channel();
  const auto token = Granularity::token();
  CHECK(refusal(int8, channel, int8, token).empty());
  CHECK(refusal(NumberFormat::integer(9), channel, int8, token) ==
        "weights of 9 bits, expected at most 8");
  CHECK(refusal(int8, channel, NumberFormat::integer(16), token) ==
        "activations of 16 bits, expected at most 8");
  CHECK(refusal(NumberFormat::parse("nf4"), channel, int8, token) ==
        "weights in nf4, expected integers");
  CHECK(refusal(int8, channel, NumberFormat::parse("fp8-e4m3"), token) ==
        "activations in fp8-e4m3, expected integers");
  CHECK(refusal(int8, Granularity::groups_of(32), int8, token) ==
        "weights with scales group:32, expected one scale for a whole sum");
  CHECK(refusal(int8, channel, int8, Granularity::groups_of(8)) ==
        "activations with scales group:8, expected one scale for a whole sum");
  SitePlan weights_only = setting_of(8, Scheme::symmetric, token, true);
  weights_only.activation.reset();
  CHECK(integer_refusal(weights_only) == "activations in fp32, expected integers on both sides");
  SitePlan activations_only = setting_of(8, Scheme::symmetric, token, true);
  activations_only.weight.reset();
  CHECK(integer_refusal(activations_only) == "weights in fp32, expected integers on both sides");
  CHECK(integer_refusal(SitePlan{}).empty());
  CHECK(integer_refusal(Plan{SitePlan{}, weights_only}) == integer_refusal(weights_only));

  // Mixed: one product in integers, one in groups, the rest in fp32.
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  Plan plan(sites.size());
  plan[1] = setting_of(8, Scheme::symmetric, token, true);
  plan[3] = setting_of(int8, Granularity::groups_of(16), int8, Granularity::groups_of(16), true);
  const Logits logits = run(tiny, plan);
  CHECK(logits.fake == logits.integer);
  CHECK(logits.fake != tiny.logits(tiny.parameters));

  CHECK(parse_execution("int") == Execution::integer);
  CHECK(to_string(parse_execution("fake")) == "fake");
  CHECK(xfq::test::error_of([] { parse_execution("fak"); }, xfq::ErrorKind::usage) ==
        "--execute fak, expected fake or int | did you mean fake?");
}

TEST_CASE("reports do not depend on the execution") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  // The first product only: later inputs differ by roundings.
  const Plan plan = make_plan(sites, setting_of(6, Scheme::affine, Granularity::tensor(), false),
                              {Selection::Kind::list, {"h.0.attn.c_attn"}});
  const auto observations = observe_inputs(tiny, plan);
  const QuantizedModel model = quantize_weights(tiny.decoder, tiny.parameters, plan);
  ActivationQuantizer floats(sites, plan, observations);
  ActivationQuantizer integers(sites, plan, observations);
  integers.execute(model, Execution::integer);
  for (ActivationQuantizer* quantizer : {&floats, &integers}) {
    quantizer->measure(true);
    quantizer->collect_means(true);
    tiny.logits(model.parameters, quantizer);
  }
  CHECK(*floats.reports()[0].sqnr_db == *integers.reports()[0].sqnr_db);
  CHECK(*floats.reports()[0].code_entropy_bits == *integers.reports()[0].code_entropy_bits);
  CHECK(floats.channel_means()[0] == integers.channel_means()[0]);
}

#include "options.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "xfq/core/error.h"

namespace xfq::experiments::quantize {

namespace {

/// One word for the pair of weight and activation scales.
struct Scales {
  quant::Granularity weight;
  quant::Granularity activation;
  bool dynamic;
};

Scales scales_of(const std::string& word) {
  using quant::Granularity;
  const Granularity granularity = quant::parse_granularity(word);
  switch (granularity.kind) {
    case Granularity::Kind::tensor:
      return {granularity, Granularity::tensor(), false};
    case Granularity::Kind::channel:
      return {granularity, Granularity::tensor(), false};
    case Granularity::Kind::token:
      return {Granularity::channel(), granularity, true};
    case Granularity::Kind::group:
      break;
  }
  return {granularity, granularity, true};
}

}  // namespace

void Options::describe(OptionTable& table) {
  table.group("Quantization");
  table.integers("bits", bits, "Bits of an integer code", {2, 16});
  table.texts("calibration", calibration, "How a static activation range is found, one or more",
              "minmax|percentile:P|mse|kl|aciq,...",
              [](const std::string& text) { quant::parse_calibration(text); });
  table.text("granularity", granularity,
             "Scales: per tensor; per weight channel and activation tensor; per weight channel "
             "and token; per group of G inputs",
             "tensor|channel|token|group:G",
             [](const std::string& text) { quant::parse_granularity(text); });
  table.choice("scheme", scheme, "Codes around zero, or with a zero point",
               {"symmetric", "affine"});
  table.flag("weights_only", weights_only, "Leave activations in fp32");
  table.flag("quantize_head", quantize_head,
             "Quantize the output head and the token table it is tied to");
  table.integer("calibration_tokens", calibration_tokens,
                "Training tokens that activation ranges are found on", {1, 100'000'000});
  table.integer("evaluation_tokens", evaluation_tokens, "Validation tokens; 0: all of them",
                {0, 1'000'000'000});
  table.text("model", model,
             "A decoder checkpoint to quantize instead of training one; one run, no intervals",
             "FILE");
  describe_data(table);
  describe_model(table);
  describe_training(table);
  describe_run(table);
}

void Options::apply(Profile profile) {
  switch (profile) {
    case Profile::smoke:
      seeds = 2;
      documents = 200;
      layers = 1;
      dim = 32;
      heads = 2;
      steps = 40;
      warmup = 5;
      batch_size = 16;
      calibration_tokens = 1024;
      evaluation_tokens = 2048;
      break;
    case Profile::quick:
      break;
    case Profile::full:
      seeds = 5;
      documents = 20000;
      layers = 4;
      dim = 128;
      steps = 2000;
      warmup = 100;
      calibration_tokens = 65536;
      evaluation_tokens = 65536;
      break;
  }
}

void Options::check() const {
  CommonOptions::check();
  std::set<std::string> seen;
  for (const Arm& arm : arms(*this)) {
    if (!seen.insert(arm.id).second) {
      throw_usage(fmt::format("--bits and --calibration: {} is asked for twice", arm.id),
                  "name every value once");
    }
  }
}

std::vector<Arm> arms(const Options& options) {
  const Scales scales = scales_of(options.granularity);
  const quant::Scheme scheme = quant::parse_scheme(options.scheme);
  std::vector<Arm> arms;
  for (const std::int64_t bits : options.bits) {
    const auto format = quant::NumberFormat::integer(static_cast<int>(bits), scheme);
    Arm arm;
    arm.bits = bits;
    arm.setting.weight = quant::WeightSetting{format, scales.weight, {}};
    if (options.weights_only) {
      arm.id = fmt::format("w{}", bits);
      arm.calibration = "none";
      arms.push_back(arm);
      continue;
    }
    if (scales.dynamic) {
      arm.id = fmt::format("w{0}a{0}.{1}", bits, options.granularity);
      arm.calibration = "dynamic";
      arm.setting.activation = quant::ActivationSetting{format, scales.activation, true, {}};
      arms.push_back(arm);
      continue;
    }
    for (const std::string& method : options.calibration) {
      arm.id = fmt::format("w{0}a{0}.{1}", bits, method);
      arm.calibration = method;
      arm.setting.activation = quant::ActivationSetting{format, scales.activation, false,
                                                        quant::parse_calibration(method)};
      arms.push_back(arm);
    }
  }
  return arms;
}

}  // namespace xfq::experiments::quantize

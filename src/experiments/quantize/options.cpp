#include "options.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <set>

#include "../lists.h"
#include "arms.h"
#include "xfq/core/error.h"
#include "xfq/quant/execution.h"

namespace xfq::experiments::quantize {

namespace {

constexpr const char* kNoParts = "none";

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

const std::vector<std::string>& Options::part_names() {
  static const std::vector<std::string> names = {
      "data",    "procedure", "bits",  "frontier", "synthetic", "outliers", "calibration-size",
      "dynamic", "recover",   "mixed", "speed"};
  return names;
}

const std::vector<std::string>& Options::recovery_names() {
  static const std::vector<std::string> names = {"dynamic",  "smooth", "outlier-columns",
                                                 "hadamard", "gptq",   "bias-correction",
                                                 "mixed",    "qat"};
  return names;
}

void Options::describe(OptionTable& table) {
  table.group("Quantization");
  table.integers("bits", bits, "Bits of an integer code", {2, 16});
  table.choices("number_format", number_format, "Kind of code; all but int have bits of their own",
                quant::NumberFormat::names());
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
  table.choice("execute", execute, "Products of the arms on rounded floats, or on integer codes",
               {"fake", "int"});
  table.flag("per_layer", per_layer, "Score every arm with one product quantized at a time");
  table.integer("calibration_tokens", calibration_tokens,
                "Training tokens that activation ranges are found on", {1, 100'000'000});
  table.integer("evaluation_tokens", evaluation_tokens,
                "Validation tokens that arms are scored on; 0: all of them", {0, 1'000'000'000});
  table.text("model", model,
             "A decoder checkpoint to quantize instead of training one; one run, no intervals",
             "FILE");

  table.group("Parts of the answer");
  std::vector<std::string> part_words = part_names();
  part_words.push_back(kNoParts);
  table.choices("parts", parts, "What is measured beside the arms", part_words);
  table.integer("sweep_tokens", sweep_tokens,
                "Validation tokens that the parts are scored on; 0: all of them",
                {0, 1'000'000'000});
  table.reals("outliers", outliers,
              "Factors of the outlier channels; the fp32 function stays the same", {1, 1e4});
  table.choices("recover", recover, "Ways to get the quality back", recovery_names());
  table.integers("recover_bits", recover_bits, "Bits at which that is tried, beside --bits",
                 {2, 16});
  table.integer("finetune_steps", finetune_steps, "Updates of qat and of its fp32 control",
                {2, 100'000'000});
  table.integers("widths", widths, "Widths of the models beside --dim on the equal-bytes frontier",
                 {1, 65536});
  table.integers("sample_sizes", sample_sizes, "Values that ranges of made data are found on",
                 {1000, 100'000'000});

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
      calibration_tokens = 512;
      evaluation_tokens = 1024;
      sweep_tokens = 256;
      outliers = {1, 30};
      recover_bits = {8, 3};
      finetune_steps = 6;
      widths = {16};
      sample_sizes = {10'000};
      break;
    case Profile::quick:
      // Small batches learn more from a token: the same loss for half of the time.
      steps = 800;
      batch_size = 8;
      break;
    case Profile::full:
      seeds = 5;
      documents = 20000;
      layers = 4;
      dim = 128;
      steps = 2000;
      batch_size = 8;
      warmup = 100;
      calibration_tokens = 16384;
      evaluation_tokens = 65536;
      sweep_tokens = 4096;
      outliers = {1, 3, 10, 20, 30, 60, 100};
      recover_bits = {8, 6, 4, 3, 2};
      finetune_steps = 150;
      widths = {32, 64, 96};
      sample_sizes = {10'000, 30'000, 100'000, 300'000, 1'000'000};
      break;
  }
}

void Options::check() const {
  CommonOptions::check();
  refuse_repeats("--parts", parts);
  if (parts.size() > 1 && has(parts, kNoParts)) {
    throw_usage("--parts: got none beside others, expected none alone");
  }
  refuse_repeats("--recover", recover);
  refuse_repeats("--recover-bits", recover_bits);
  refuse_repeats("--outliers", outliers);
  refuse_repeats("--widths", widths);
  refuse_repeats("--sample-sizes", sample_sizes);
  for (const Arm& arm : arms(*this)) {
    if (execute != "int") continue;
    const std::string refusal = quant::integer_refusal(arm.setting);
    if (!refusal.empty()) {
      throw_usage(fmt::format("--execute int: {}: {}", arm.id, refusal), "use --execute fake");
    }
  }
  if (wants("frontier")) {
    for (const std::int64_t width : widths) {
      if (width == dim) {
        throw_usage(fmt::format("--widths: got {}, which is --dim already", width),
                    "name the other widths only");
      }
      if (width % heads != 0) {
        throw_usage(
            fmt::format("--widths: got {}, expected a multiple of --heads {}", width, heads));
      }
    }
  }
}

bool Options::wants(const std::string& part) const { return has(parts, part); }

bool Options::recovers_by(const std::string& technique) const { return has(recover, technique); }

std::vector<std::int64_t> Options::all_recover_bits() const {
  std::set<std::int64_t, std::greater<>> all(recover_bits.begin(), recover_bits.end());
  all.insert(bits.begin(), bits.end());
  return {all.begin(), all.end()};
}

std::vector<std::int64_t> Options::all_widths() const {
  std::set<std::int64_t> all(widths.begin(), widths.end());
  all.insert(dim);
  return {all.begin(), all.end()};
}

}  // namespace xfq::experiments::quantize

// Plans and their sizes.
#include "xfq/quant/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "xfq/core/error.h"
#include "xfq/core/options.h"

namespace xfq::quant {
namespace {

void check_block_format(const NumberFormat& format, const Granularity& granularity) {
  if (format.kind() != NumberKind::mxfp4) return;
  if (granularity.kind == Granularity::Kind::group && granularity.group == 32) return;
  throw_usage(fmt::format("--granularity {} with --number-format mxfp4, expected group:32",
                          to_string(granularity)),
              "the format defines its blocks of 32 values");
}

void check(const SitePlan& setting) {
  if (setting.weight) {
    if (setting.weight->granularity.kind == Granularity::Kind::token) {
      throw_usage("--granularity token for weights, expected tensor, channel or group:G",
                  "tokens are rows of activations");
    }
    check_block_format(setting.weight->format, setting.weight->granularity);
  }
  if (setting.activation) {
    if (setting.activation->granularity.kind == Granularity::Kind::channel) {
      throw_usage("--granularity channel for activations, expected tensor, token or group:G",
                  "a scale per input channel cannot be taken out of the product's sum");
    }
    check_block_format(setting.activation->format, setting.activation->granularity);
  }
  if (setting.input.hadamard && !setting.input.outlier_columns.empty()) {
    throw_usage("outlier columns of a rotated input, expected one of the two",
                "a rotation spreads an outlier over all columns");
  }
}

std::int64_t bytes_of_bits(std::int64_t bits) { return (bits + 7) / 8; }

}  // namespace

Plan make_plan(const std::vector<models::LinearSite>& sites, const SitePlan& setting,
               const Selection& selection) {
  check(setting);
  Plan plan(sites.size());
  if (selection.kind == Selection::Kind::list) {
    std::vector<std::string> names;
    for (const auto& site : sites) names.push_back(site.name);
    for (const std::string& name : selection.names) {
      const auto found = std::find(names.begin(), names.end(), name);
      if (found == names.end()) {
        const std::string nearest = nearest_name(name, names);
        throw_usage(
            fmt::format("no matrix product '{}', expected one of {}", name, fmt::join(names, ", ")),
            nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
      }
      plan[static_cast<std::size_t>(found - names.begin())] = setting;
    }
    return plan;
  }
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const bool head = sites[i].input.site == nn::Site::head_input;
    if (selection.kind == Selection::Kind::all || !head) plan[i] = setting;
  }
  return plan;
}

WeightBytes weight_bytes(const WeightSetting& setting, Index in, Index out) {
  WeightBytes bytes;
  bytes.codes = bytes_of_bits(static_cast<std::int64_t>(in) * out * setting.format.bits());
  bytes.scales =
      bytes_of_bits(static_cast<std::int64_t>(weight_scales(setting.granularity, in, out)) *
                    setting.format.scale_bits());
  return bytes;
}

WeightBytes weight_bytes(const SitePlan& plan, Index in, Index out) {
  XFQ_ASSERT(plan.weight);
  const auto columns = static_cast<Index>(plan.input.outlier_columns.size());
  WeightBytes bytes = weight_bytes(*plan.weight, in - columns, out);
  bytes.outliers = 4 * static_cast<std::int64_t>(columns) * (out + 1);
  return bytes;
}

std::vector<InputTransform> input_transforms(const Plan& plan) {
  std::vector<InputTransform> inputs;
  for (const SitePlan& site : plan) inputs.push_back(site.input);
  return inputs;
}

ModelBytes model_bytes(const nn::ParameterLayout& layout,
                       const std::vector<models::LinearSite>& sites, const Plan& plan) {
  XFQ_ASSERT(plan.size() == sites.size());
  const std::int64_t parameters = layout.count();
  ModelBytes bytes;
  bytes.fp32 = 4 * parameters;
  std::int64_t quantized_parameters = 0;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    if (!plan[i].weight) continue;
    const WeightBytes weight = weight_bytes(plan[i], sites[i].in, sites[i].out);
    bytes.codes += weight.codes;
    bytes.scales += weight.scales;
    bytes.unquantized += weight.outliers;
    quantized_parameters += static_cast<std::int64_t>(sites[i].in) * sites[i].out;
  }
  bytes.unquantized += 4 * (parameters - quantized_parameters);
  bytes.quantized = bytes.codes + bytes.scales + bytes.unquantized;
  bytes.bits_per_parameter =
      8 * static_cast<double>(bytes.quantized) / static_cast<double>(parameters);
  return bytes;
}

ModelBytes model_bytes(const models::Decoder& decoder, const Plan& plan) {
  return model_bytes(decoder.layout(), decoder.linears(), plan);
}

}  // namespace xfq::quant

#include "arms.h"

#include <fmt/core.h>

#include <set>
#include <utility>

#include "xfq/core/error.h"

namespace xfq::experiments::quantize {

namespace {

quant::Selection selection(const Options& options) {
  quant::Selection selection;
  if (!options.quantize_head) selection.kind = quant::Selection::Kind::without_head;
  return selection;
}

/// The arms of one format: its weights alone, scales found at run time, or one per calibration.
void add_arms(const Options& options, const quant::NumberFormat& format,
              const std::string& number_format, std::vector<Arm>& arms) {
  Arm arm;
  arm.number_format = number_format;
  arm.bits = format.bits();
  const bool integer = format.kind() == quant::NumberKind::integer;
  const auto add = [&](const std::string& suffix, const std::string& calibration,
                       const quant::SitePlan& setting) {
    arm.id = integer ? fmt::format("w{}", arm.bits) : number_format;
    if (!suffix.empty()) {
      arm.id += integer ? fmt::format("a{}.{}", arm.bits, suffix) : "." + suffix;
    }
    arm.calibration = calibration;
    arm.setting = setting;
    arms.push_back(arm);
  };
  const auto setting = [&](const std::string& calibration) {
    return site_plan(format, options.granularity, calibration);
  };
  if (options.weights_only) {
    add("", "none", weights_only(setting("minmax")));
  } else if (setting("minmax").activation->dynamic) {
    add(options.granularity, "dynamic", setting("minmax"));
  } else {
    for (const std::string& method : options.calibration) add(method, method, setting(method));
  }
}

}  // namespace

quant::SitePlan site_plan(const quant::NumberFormat& format, const std::string& granularity,
                          const std::string& calibration) {
  using quant::Granularity;
  const Granularity scales = quant::parse_granularity(granularity);
  const bool group = scales.kind == Granularity::Kind::group;
  const bool dynamic = group || scales.kind == Granularity::Kind::token;
  quant::SitePlan plan;
  plan.weight = quant::WeightSetting{
      format, scales.kind == Granularity::Kind::token ? Granularity::channel() : scales, {}};
  plan.activation = quant::ActivationSetting{format, dynamic ? scales : Granularity::tensor(),
                                             dynamic, quant::parse_calibration(calibration)};
  return plan;
}

quant::SitePlan weights_only(quant::SitePlan plan) {
  plan.activation.reset();
  return plan;
}

quant::Plan plan_of(const models::Decoder& decoder, const quant::SitePlan& setting,
                    const Options& options) {
  return quant::make_plan(decoder.linears(), setting, selection(options));
}

std::vector<Arm> arms(const Options& options) {
  const quant::Scheme scheme = quant::parse_scheme(options.scheme);
  std::vector<Arm> arms;
  for (const std::string& name : options.number_format) {
    if (name != "int") {
      add_arms(options, quant::NumberFormat::parse(name, 8, scheme), name, arms);
      continue;
    }
    for (const std::int64_t bits : options.bits) {
      add_arms(options, quant::NumberFormat::integer(static_cast<int>(bits), scheme), name, arms);
    }
  }
  std::set<std::string> seen;
  for (const Arm& arm : arms) {
    if (!seen.insert(arm.id).second) {
      throw_usage(
          fmt::format("--bits, --number-format and --calibration: {} is asked for twice", arm.id),
          "name every value once");
    }
    quant::make_plan({}, arm.setting);  // refuses settings that do not go together
  }
  return arms;
}

}  // namespace xfq::experiments::quantize

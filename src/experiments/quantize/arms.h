// Arms: the ways to quantize that the options ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "options.h"
#include "xfq/models/decoder.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

/// One way to quantize: what `bits`, `calibration`, ... mean together.
struct Arm {
  std::string id;  ///< "w8a8.minmax", "w4", "fp8-e4m3.mse", "nf4"; prefix of its metrics
  std::string number_format;
  std::int64_t bits = 8;
  std::string calibration;  ///< of activations; "dynamic" or "none" where nothing is calibrated
  quant::SitePlan setting;
};

/// Every combination that the options ask for, in their order. Throws ErrorKind::usage on
/// combinations that do not exist and on one that is asked for twice.
std::vector<Arm> arms(const Options& options);

/// The setting of a granularity word: the usual pair of weight and activation scales.
///   tensor   one weight scale, one static activation scale
///   channel  one weight scale per output channel, one static activation scale
///   token    one weight scale per output channel, one activation scale per row, at run time
///   group:G  one scale per G inputs of both, activations at run time
/// `calibration` is of a static activation scale; weights take their own minimum and maximum.
quant::SitePlan site_plan(const quant::NumberFormat& format, const std::string& granularity,
                          const std::string& calibration);

/// Without activations.
quant::SitePlan weights_only(quant::SitePlan plan);

/// The products that --quantize-head selects.
quant::Plan plan_of(const models::Decoder& decoder, const quant::SitePlan& setting,
                    const Options& options);

}  // namespace xfq::experiments::quantize

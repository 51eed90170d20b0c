// One trained model against all its quantized versions.
#pragma once

#include <string>
#include <vector>

#include "options.h"
#include "xfq/core/monitor.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/quality.h"
#include "xfq/quant/tensor_report.h"

namespace xfq::experiments::quantize {

struct ArmResult {
  quant::LogitComparison quality;
  std::vector<quant::TensorReport> weights;
  std::vector<quant::TensorReport> activations;
};

/// What one seed yields; one entry per arm.
struct SeedResult {
  std::uint64_t seed = 0;
  bool trained = false;  ///< not taken from the cache or a file
  std::vector<ArmResult> arms;
};

/// Calibrates on the first rows of the training split that hold
/// options.calibration_tokens predictions, and compares with fp32 on the first
/// rows of the validation split that hold options.evaluation_tokens.
SeedResult measure(const Options& options, const models::Decoder& decoder,
                   const Vector<float>& parameters, const corpus::LanguageData& data,
                   const std::vector<Arm>& arms, const std::vector<quant::Plan>& plans,
                   Monitor& monitor, const std::string& label);

}  // namespace xfq::experiments::quantize

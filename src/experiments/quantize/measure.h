// One trained model against all its arms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arms.h"
#include "subject.h"
#include "xfq/quant/quality.h"
#include "xfq/quant/tensor_report.h"

namespace xfq::experiments::quantize {

struct ArmResult {
  quant::LogitComparison quality;
  std::vector<quant::TensorReport> weights;
  std::vector<quant::TensorReport> activations;
  /// --per-layer: one product quantized at a time, scored on the sweep tokens, in the order of the
  /// products; none where the arm leaves the product alone.
  std::vector<std::optional<Score>> per_layer;
};

/// Every arm against fp32 on the first rows of the validation split that hold
/// --evaluation-tokens.
std::vector<ArmResult> measure_arms(const Subject& subject, const std::vector<Arm>& arms);

}  // namespace xfq::experiments::quantize

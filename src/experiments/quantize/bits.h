// Why eight: the loss at every width, for integers and for what competes with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

struct BitsRow {
  std::string format;  ///< "int", "fp8-e4m3", ...
  std::int64_t bits = 0;
  std::string granularity;   ///< of the weights: "channel", "group:32"
  bool activations = false;  ///< weights alone, or activations as well
  quant::ModelBytes bytes;
  Score score;
};

/// Integers of 2 to 8 and 16 bits with a scale per output channel, activations with one static
/// range clipped by MSE; then fp8, nf4 and mxfp4, each as it is used.
std::vector<BitsRow> measure_bits(const Subject& subject);

/// A loss difference at a width.
struct WidthLoss {
  std::int64_t bits = 0;
  double delta_nll = 0;
};
/// The integers among the rows, with or without activations.
std::vector<WidthLoss> integer_ladder(const std::vector<BitsRow>& rows, bool activations);

/// The smallest width from which on the loss stays within `band` of fp32's, among `allowed`
/// widths (empty: all). 32 when the widest one does not.
std::int64_t smallest_width(const std::vector<WidthLoss>& ladder, double band,
                            const std::vector<std::int64_t>& allowed = {});

struct SeedResult;
Table bits_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

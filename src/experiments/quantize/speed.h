// What integer execution gains on this machine: measured time, so it stands in `cost` and enters no
// verdict.
#pragma once

#include "options.h"
#include "xfq/core/monitor.h"
#include "xfq/core/record.h"
#include "xfq/models/decoder.h"

namespace xfq::experiments::quantize {

/// int8 layers against fp32 ones at the model's shapes, quantization and dequantization included:
/// `speed` among cost.tables, and its test of quant.int8-sweet-spot among cost.tests.
void fill_speed(const models::Decoder& decoder, const Options& options, Monitor& monitor,
                Record& record);

}  // namespace xfq::experiments::quantize

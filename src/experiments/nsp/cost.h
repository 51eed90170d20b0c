// What the sentence-pair head costs, and what is counted about pairs before any training.
#pragma once

#include "derived.h"
#include "options.h"
#include "xfq/core/record.h"
#include "xfq/models/encoder.h"

namespace xfq::experiments::nsp {

/// Counts labels, collisions and operations; random draws come from options.seed.
Counts count(const Options& options, const corpus::PairData& data);

/// Times training steps with and without the head, in turns on the same rows, and puts
/// milliseconds per step, their ratio and the timed test of `nsp.extra-cost` into cost.
void time_head(const Options& options, const corpus::PairData& data, Record& record);

}  // namespace xfq::experiments::nsp

// From the runs' results to metrics, tables, claims and the answer.
#pragma once

#include <vector>

#include "derived.h"
#include "measure.h"
#include "options.h"
#include "xfq/core/record.h"

namespace xfq::experiments::nsp {

/// Fills metrics, tables, claims, answer and the warnings that follow from them.
void fill_record(const Options& options, const std::vector<Arm>& arms, const Bench& bench,
                 const std::vector<SeedResult>& seeds, const Counts& counts, Record& record);

}  // namespace xfq::experiments::nsp

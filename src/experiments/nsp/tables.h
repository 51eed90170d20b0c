// The tables of the record.
#pragma once

#include <vector>

#include "derived.h"
#include "measure.h"
#include "options.h"
#include "xfq/core/record.h"

namespace xfq::experiments::nsp {

void fill_tables(const std::vector<Arm>& arms, const Bench& bench,
                 const std::vector<SeedResult>& seeds, const Counts& counts, Record& record);

}  // namespace xfq::experiments::nsp

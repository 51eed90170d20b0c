// The tables of the record, and what the time of an update says, which goes to `cost`.
#pragma once

#include <vector>

#include "measure.h"
#include "options.h"
#include "sweep.h"
#include "xfq/core/record.h"

namespace xfq::experiments::batch_ppl {

void fill_tables(const Options& options, const Sweep& sweep, const std::vector<SeedResult>& seeds,
                 Record& record);
void fill_cost(const Options& options, const Sweep& sweep, const std::vector<UpdateTime>& times,
               Record& record);

}  // namespace xfq::experiments::batch_ppl

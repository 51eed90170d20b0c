// From the seeds' results to metrics, tables, claims and the answer.
#pragma once

#include <vector>

#include "claims.h"
#include "measure.h"
#include "options.h"
#include "sweep.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"

namespace xfq::experiments::batch_ppl {

/// The plain numbers that the claims rest on.
ClaimNumbers claim_numbers(const Options& options, const std::vector<SeedResult>& seeds);

/// Fills metrics, tables, claims, answer and the warnings that follow from them; the times
/// go to `cost` alone.
void fill_record(const Options& options, const corpus::LanguageData& data, const Sweep& sweep,
                 const std::vector<SeedResult>& seeds, const std::vector<UpdateTime>& times,
                 Record& record);

}  // namespace xfq::experiments::batch_ppl

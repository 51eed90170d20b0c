// From the seeds' results to metrics, tables, claims and the answer.
#pragma once

#include <vector>

#include "measure.h"
#include "options.h"
#include "sweep.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"

namespace xfq::experiments::batch_ppl {

/// Fills metrics, tables, claims, answer and the warnings that follow from them; the times
/// go to `cost` alone.
void fill_record(const Options& options, const corpus::LanguageData& data, const Sweep& sweep,
                 const std::vector<SeedResult>& seeds, const std::vector<UpdateTime>& times,
                 Record& record);

}  // namespace xfq::experiments::batch_ppl

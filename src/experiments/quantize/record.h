// From the seeds' results to metrics, tables and the answer.
#pragma once

#include <vector>

#include "measure.h"
#include "options.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

/// Fills metrics, tables, claims, answer and the warnings that follow from them.
void fill_record(const std::vector<Arm>& arms, const std::vector<quant::ModelBytes>& bytes,
                 const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                 Record& record);

}  // namespace xfq::experiments::quantize

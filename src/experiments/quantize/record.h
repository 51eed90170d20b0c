// From the seeds' results to metrics, tables, claims and the answer.
#pragma once

#include <vector>

#include "options.h"
#include "result.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"

namespace xfq::experiments::quantize {

/// Fills metrics, tables, claims, answer and the warnings that follow from them.
void fill_record(const Options& options, const models::Decoder& decoder,
                 const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                 Record& record);

}  // namespace xfq::experiments::quantize

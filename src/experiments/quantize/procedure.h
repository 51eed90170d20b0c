// The procedure step by step: scheme, granularity and calibration, each varied alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

struct ProcedureRow {
  std::int64_t bits = 0;
  std::string scheme;
  std::string granularity;
  std::string calibration;                   ///< "dynamic" where scales are found at run time
  std::optional<double> activation_sqnr_db;  ///< mean over products, on the sweep tokens
  Score score;
};

/// At each of 4 and 8 bits, from symmetric codes with scales per channel and min-max ranges.
std::vector<ProcedureRow> measure_procedure(const Subject& subject);

struct SeedResult;
Table procedure_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

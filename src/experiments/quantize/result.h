// What one seed yields: the arms and the parts of the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bits.h"
#include "data_side.h"
#include "finetune.h"
#include "frontier.h"
#include "long_tails.h"
#include "measure.h"
#include "mixed.h"
#include "procedure.h"
#include "recover.h"
#include "synthetic.h"

namespace xfq::experiments::quantize {

/// Parts that were not asked for are empty.
struct SeedResult {
  std::uint64_t seed = 0;
  std::vector<ArmResult> arms;
  std::optional<DataSide> data_side;  ///< first seed only
  std::vector<ProcedureRow> procedure;
  std::vector<BitsRow> bits;
  std::vector<std::vector<FrontierRow>> frontier;  ///< one entry per width
  std::vector<SyntheticRow> synthetic;
  std::vector<OutlierRow> outliers;
  std::vector<CalibrationSizeRow> calibration_size;
  std::vector<DynamicRow> dynamic;
  std::vector<std::vector<RecoverRow>> recover;  ///< one entry per width
  std::vector<FinetuneRow> finetune;             ///< one entry per width, and the fp32 control
  std::optional<MixedResult> mixed;

  std::int64_t number() const { return static_cast<std::int64_t>(seed); }
  /// Of all widths.
  std::vector<FrontierRow> frontier_rows() const {
    std::vector<FrontierRow> rows;
    for (const auto& part : frontier) rows.insert(rows.end(), part.begin(), part.end());
    return rows;
  }
};

}  // namespace xfq::experiments::quantize

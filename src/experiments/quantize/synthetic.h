// Calibration on made values whose density is known: where clipping helps, and when the
// divergence rule loses to the plain maximum.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

struct SyntheticRow {
  std::string source;  ///< "normal", "laplace", "t4", "t3", "outliers:5", ... see source_names()
  std::int64_t size = 0;
  std::string calibration;
  double threshold = 0;  ///< in units of the density's scale
  std::optional<double> sqnr_db;
  double clip_share = 0;
};

/// normal, laplace, t4, t3: unit scale. outliers:K: normal, but one value in a thousand is K times
/// as large.
const std::vector<std::string>& source_names();

/// One draw of every source, its first `size` values for every size, rounded to 8-bit symmetric
/// integers at the range of every calibration. Values of a smaller size are part of a larger one.
/// Draws from Stream(seed, "quantize/synthetic").
std::vector<SyntheticRow> measure_synthetic(std::uint64_t seed,
                                            const std::vector<std::int64_t>& sizes);

/// SQNR of one calibration minus that of another, dB; none where a row is missing.
std::optional<double> sqnr_difference(const std::vector<SyntheticRow>& rows,
                                      const std::string& source, std::int64_t size,
                                      const std::string& calibration, const std::string& other);

struct SeedResult;
Table synthetic_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

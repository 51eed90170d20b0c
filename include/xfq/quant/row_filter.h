// Which rows of a batch a tap takes into account.
#pragma once

#include <cstdint>

#include "xfq/core/matrix.h"

namespace xfq::quant {

/// Rows of the next batches that count: those with target >= 0. Padding has
/// activations too, and they must not shape a range or a report.
class RowFilter {
 public:
  /// nullptr: all rows count. Otherwise [rows of the batch], valid until the next call.
  void use_rows(const std::int32_t* targets) { targets_ = targets; }

 protected:
  bool counts(Index row) const { return targets_ == nullptr || targets_[row] >= 0; }

 private:
  const std::int32_t* targets_ = nullptr;
};

}  // namespace xfq::quant

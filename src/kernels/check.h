// The `check` implementation: what it has recorded, and its int8 table.
#pragma once

#include <vector>

#include "int8_table.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels {

/// For check_report().
std::vector<CheckReport> recorded_differences();

/// Runs int8_reference() beside `fast`; called once.
const Int8Kernels* check_int8(const Int8Kernels& fast);

}  // namespace xfq::kernels

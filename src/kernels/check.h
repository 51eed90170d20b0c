// What `check` has recorded so far, for check_report().
#pragma once

#include <vector>

#include "xfq/kernels/kernels.h"

namespace xfq::kernels {

std::vector<CheckReport> recorded_differences();

}  // namespace xfq::kernels

// Which product a tap stands at.
#pragma once

#include <cstddef>
#include <vector>

#include "xfq/models/decoder.h"

namespace xfq::quant {

/// Index of the product that reads this point; the number of sites when none does.
inline std::size_t find_site(const std::vector<models::LinearSite>& sites,
                             const nn::TapPoint& point) {
  std::size_t i = 0;
  while (i < sites.size() &&
         (sites[i].input.site != point.site || sites[i].input.layer != point.layer)) {
    ++i;
  }
  return i;
}

}  // namespace xfq::quant

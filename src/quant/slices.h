// The values of a weight that share a scale.
#pragma once

#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/quant/plan.h"

namespace xfq::quant {

/// `count` inputs from `first` of output channels out_begin .. out_end - 1.
struct Slice {
  Index out_begin = 0;
  Index out_end = 0;
  Index first = 0;
  Index count = 0;

  Index size() const { return (out_end - out_begin) * count; }
};

/// In the order of QuantizedWeight::scales.
std::vector<Slice> slices_of(const Granularity& granularity, Index in, Index out);

/// Where weight (input i, output o) stands in the site's layout.
inline Index weight_offset(const models::LinearSite& site, Index i, Index o) {
  return site.tied_embedding ? o * site.in + i : i * site.out + o;
}

/// Calls visit(offset) for every value of a slice, in one order for all layouts.
template <class Visit>
void for_each_offset(const models::LinearSite& site, const Slice& slice, const Visit& visit) {
  for (Index o = slice.out_begin; o < slice.out_end; ++o) {
    for (Index i = slice.first; i < slice.first + slice.count; ++i) {
      visit(weight_offset(site, i, o));
    }
  }
}

template <class T>
void gather(const models::LinearSite& site, const Slice& slice, const T* weight,
            std::vector<T>& values) {
  values.clear();
  for_each_offset(site, slice, [&](Index at) { values.push_back(weight[at]); });
}

template <class T>
void scatter(const models::LinearSite& site, const Slice& slice, const std::vector<T>& values,
             T* weight) {
  std::size_t k = 0;
  for_each_offset(site, slice, [&](Index at) { weight[at] = values[k++]; });
}

/// The range of a slice's values by the setting's calibration.
Range slice_range(const WeightSetting& setting, const std::vector<float>& values);

}  // namespace xfq::quant

// Fake-quantized weights for every step of a training.
#include "xfq/quant/qat.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "input_transform.h"
#include "slices.h"
#include "xfq/core/error.h"

namespace xfq::quant {

struct WeightRounder::Slot {
  std::size_t site = 0;
  InputTransformer transform;
  std::vector<Slice> slices;
  std::vector<double> shares;  // clip threshold over largest |w|, of every slice
};

WeightRounder::WeightRounder(std::vector<models::LinearSite> sites, Plan plan,
                             const Vector<float>& parameters)
    : sites_(std::move(sites)), plan_(std::move(plan)), rounded_(parameters) {
  XFQ_ASSERT(plan_.size() == sites_.size());
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    if (!plan_[s].weight) continue;
    const models::LinearSite& site = sites_[s];
    Slot slot;
    slot.site = s;
    slot.transform = InputTransformer(plan_[s].input, site.in);
    slot.slices = slices_of(plan_[s].weight->granularity, site.in, site.out);
    std::vector<float> weight(parameters.data() + site.weight,
                              parameters.data() + site.weight + site.in * site.out);
    slot.transform.apply_to_weight(site, weight.data());
    for (const Slice& slice : slot.slices) {
      gather(site, slice, weight.data(), values_);
      double largest = 0;
      for (const float w : values_) largest = std::max(largest, std::abs(static_cast<double>(w)));
      const double threshold = slice_range(*plan_[s].weight, values_).magnitude();
      slot.shares.push_back(largest > 0 ? threshold / largest : 1.0);
    }
    slots_.push_back(std::move(slot));
  }
}

WeightRounder::~WeightRounder() = default;

const float* WeightRounder::round(const float* parameters) {
  std::copy(parameters, parameters + rounded_.size(), rounded_.data());
  for (const Slot& slot : slots_) {
    const models::LinearSite& site = sites_[slot.site];
    const NumberFormat& format = plan_[slot.site].weight->format;
    float* weight = rounded_.data() + site.weight;
    slot.transform.apply_to_weight(site, weight);
    for (std::size_t k = 0; k < slot.slices.size(); ++k) {
      gather(site, slot.slices[k], weight, values_);
      float least = 0;
      float most = 0;
      for (const float w : values_) {
        least = w < least ? w : least;
        most = w > most ? w : most;
      }
      const double threshold = slot.shares[k] * static_cast<double>(std::max(-least, most));
      Range range = {-threshold, threshold};
      if (format.scheme() == Scheme::affine) {
        range = {std::max(static_cast<double>(least), -threshold),
                 std::min(static_cast<double>(most), threshold)};
      }
      format.fake_quantize(slot.slices[k].size(), values_.data(), format.fit(range),
                           values_.data());
      scatter(site, slot.slices[k], values_, weight);
    }
    slot.transform.undo_on_weight(site, parameters + site.weight, weight);
  }
  return rounded_.data();
}

}  // namespace xfq::quant

// Mean shifts of outputs, taken off the biases.
#include "xfq/quant/bias_correction.h"

#include "slices.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

// sum += sign * mean W, in the site's layout.
void add_product(const models::LinearSite& site, const Vector<double>& mean, const float* weight,
                 double sign, Vector<double>& sum) {
  XFQ_ASSERT(mean.size() == site.in);
  for (Index i = 0; i < site.in; ++i) {
    const double factor = sign * mean[i];
    for (Index o = 0; o < site.out; ++o) {
      sum[o] += factor * static_cast<double>(weight[weight_offset(site, i, o)]);
    }
  }
}

}  // namespace

void correct_biases(const std::vector<models::LinearSite>& sites, const Vector<float>& original,
                    const std::vector<Vector<double>>& means,
                    const std::vector<Vector<double>>& rounded_means, QuantizedModel& model) {
  XFQ_ASSERT(means.size() == sites.size() && rounded_means.size() == sites.size());
  XFQ_ASSERT(model.weights.size() == sites.size() && model.parameters.size() == original.size());
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const models::LinearSite& site = sites[s];
    if (!model.weights[s] || site.bias < 0) continue;
    Vector<double> shift = Vector<double>::Zero(site.out);
    add_product(site, means[s], original.data() + site.weight, 1, shift);
    const Vector<double>& rounded = rounded_means[s].size() == 0 ? means[s] : rounded_means[s];
    add_product(site, rounded, model.parameters.data() + site.weight, -1, shift);
    for (Index o = 0; o < site.out; ++o) {
      float& bias = model.parameters[site.bias + o];
      bias = static_cast<float>(static_cast<double>(bias) + shift[o]);
    }
  }
}

}  // namespace xfq::quant

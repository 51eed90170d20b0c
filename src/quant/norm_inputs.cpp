// Norms and the products behind them.
#include "norm_inputs.h"

#include <fmt/format.h>

#include "xfq/core/error.h"

namespace xfq::quant {

std::vector<NormInput> norm_inputs(const models::Decoder& decoder) {
  std::vector<NormInput> inputs;
  const std::vector<models::LinearSite> sites = decoder.linears();
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const nn::Site site = sites[s].input.site;
    if (site != nn::Site::attention_input && site != nn::Site::mlp_input) continue;
    const std::string norm =
        fmt::format("h.{}.ln_{}", sites[s].input.layer, site == nn::Site::attention_input ? 1 : 2);
    const nn::ParameterInfo* weight = decoder.layout().find(norm + ".weight");
    const nn::ParameterInfo* bias = decoder.layout().find(norm + ".bias");
    XFQ_ASSERT(weight != nullptr);
    inputs.push_back({s, sites[s], weight->offset, bias == nullptr ? -1 : bias->offset});
  }
  return inputs;
}

void multiply_channel(const NormInput& input, Index channel, double factor,
                      Vector<float>& parameters) {
  const auto scale = [&](Index at, double by) {
    parameters[at] = static_cast<float>(static_cast<double>(parameters[at]) * by);
  };
  scale(input.norm_weight + channel, factor);
  if (input.norm_bias >= 0) scale(input.norm_bias + channel, factor);
  // [in, out]: the weights that read a channel are a row.
  const Index row = input.linear.weight + channel * input.linear.out;
  for (Index o = 0; o < input.linear.out; ++o) scale(row + o, 1 / factor);
}

}  // namespace xfq::quant

// Products of a decoder that read the output of a LayerNorm of their own: a factor can be moved
// between the two, channel by channel.
#pragma once

#include <cstddef>
#include <vector>

#include "xfq/models/decoder.h"

namespace xfq::quant {

struct NormInput {
  std::size_t site = 0;  ///< index in Decoder::linears()
  models::LinearSite linear;
  Index norm_weight = 0;  ///< offset of [in]
  Index norm_bias = -1;   ///< offset of [in]; -1: none
};

/// Two per block. The last norm is not among them: the token table behind it is also the lookup.
std::vector<NormInput> norm_inputs(const models::Decoder& decoder);

/// The norm's output times `factor` in one channel, the weights that read it divided by it.
void multiply_channel(const NormInput& input, Index channel, double factor,
                      Vector<float>& parameters);

}  // namespace xfq::quant

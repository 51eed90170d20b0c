// Outlier channels: made on purpose, and found.
//
// Large language models have a few input channels 20 to 100 times larger than the rest
// (Dettmers et al. 2022, "LLM.int8()"); small ones do not. amplify_outliers() gives a small
// model the same without changing what it computes: behind a LayerNorm channel c is
// multiplied by S, and the weights that read it are divided by S,
//   (S x_c) (W_co / S) = x_c W_co.
// In floating point the model is the same up to rounding (to the bit where S is a power of
// two); on one grid per tensor all other channels lose log2 S bits.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/models/decoder.h"
#include "xfq/quant/observer.h"

namespace xfq::quant {

/// `count` of `dim` channels, ascending, without repeats, from Stream(seed, "quant.outliers").
/// 0 <= count <= dim, otherwise throws ErrorKind::usage.
std::vector<Index> outlier_channels(Index dim, Index count, std::uint64_t seed);

/// The parameters with weight and bias of both LayerNorms of every block multiplied by `factor`
/// at `channels`, and the rows of the following matrix (attn.c_attn, mlp.c_fc) divided by it. The
/// last LayerNorm stays: the matrix behind it is the token table, which the lookup reads too.
/// Throws ErrorKind::usage unless factor is finite and > 0 and channels are below dim.
Vector<float> amplify_outliers(const models::Decoder& decoder, const Vector<float>& parameters,
                               double factor, const std::vector<Index>& channels);

/// Input channels with a calibrated |x| above `sigmas` times the root mean square of the whole
/// input: ascending. The paper's threshold is |x| > 6 where the input of the products comes from a
/// LayerNorm, whose root mean square is about 1; ours says the same for any input. At most
/// 1 / sigmas^2 of all values can be beyond it.
std::vector<Index> outlier_columns(const Observation& observation, double sigmas = 6);
/// The `count` channels with the largest |x|, ascending; the lower channel on a tie.
std::vector<Index> largest_columns(const Observation& observation, Index count);

}  // namespace xfq::quant

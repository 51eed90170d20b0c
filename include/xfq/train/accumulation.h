// Gradient accumulation: a large batch taken in parts that fit in memory.
#pragma once

#include <cstdint>

#include "xfq/models/decoder.h"

namespace xfq::train {

/// Adds the gradient of the mean loss of the batch, taken `part` sequences at a time, to
/// `gradients` [P]. Every part is divided by the predictions of the whole batch. A mean of
/// the parts' means is another quantity wherever parts differ in their number of predictions.
/// 1 <= part; the workspace holds a part.
nn::Loss accumulate_gradient(const models::Decoder& decoder, const float* parameters,
                             const models::TokenBatch& batch, Index part,
                             models::DecoderWorkspace<float>& workspace, float* gradients);

/// How far an accumulated gradient may lie from that of the whole batch. Weight gradients
/// are sums over rows, taken up in the same order by either; only the token table is the
/// sum of two uses, output head and input, whose terms interleave differently. Two orders
/// of a float sum of n terms differ by at most 2 n u / (1 - n u) times the sum of the
/// terms' magnitudes, u = 2^-24 (Higham 2002, "Accuracy and stability of numerical
/// algorithms", section 4.2).
struct AccumulationCheck {
  double difference = 0;       ///< largest |accumulated - whole| of the token table
  double share_of_bound = 0;   ///< largest |accumulated - whole| / bound of its elements
  bool rest_is_equal = false;  ///< all other tensors have equal bits
};
/// With Eigen's products, whose order of terms depends on the shapes, `rest_is_equal` may be
/// false and the bound does not hold.
AccumulationCheck check_accumulation(const models::Decoder& decoder,
                                     const Vector<float>& parameters,
                                     const models::TokenBatch& batch, Index part);

/// |mean of the parts' means - gradient of the whole batch| / |gradient of the whole batch|.
double mean_of_means_error(const models::Decoder& decoder, const Vector<float>& parameters,
                           const models::TokenBatch& batch, Index part);

}  // namespace xfq::train

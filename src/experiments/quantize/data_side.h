// The data's point of view: what is in the tensors, and how many bits they are worth.
#pragma once

#include <vector>

#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

/// Everything below is of one model: the first seed's.
struct DataSide {
  Table sqnr;        ///< tensors x bits, measured beside theory
  Table histograms;  ///< of every tensor, to draw
  Table kl_curve;    ///< divergence against threshold, 8 bits, for every activation
};

DataSide measure_data_side(const Subject& subject);

}  // namespace xfq::experiments::quantize

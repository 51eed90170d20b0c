// Which values of a tensor share one scale.
//
//   tensor   all of them
//   channel  weights: one scale per output channel
//   token    activations: one scale per row, found when the row is there (dynamic)
//   group:G  G neighbours along the input dimension: of one output channel of a weight,
//            of one row of an activation (dynamic). A last group may be shorter.
//
// A scale per input channel of an activation is not offered: it cannot be taken
// out of the product's sum, so no integer product can use it.
#pragma once

#include <string>

#include "xfq/core/matrix.h"

namespace xfq::quant {

struct Granularity {
  enum class Kind { tensor, channel, token, group };
  Kind kind = Kind::tensor;
  Index group = 0;  ///< G; 0 unless kind is group

  static Granularity tensor() { return {Kind::tensor, 0}; }
  static Granularity channel() { return {Kind::channel, 0}; }
  static Granularity token() { return {Kind::token, 0}; }
  static Granularity groups_of(Index size) { return {Kind::group, size}; }
};

/// "tensor", "channel", "token", "group:32"; throws ErrorKind::usage naming --granularity.
Granularity parse_granularity(const std::string& text);
std::string to_string(const Granularity& granularity);

/// Scales that a weight of [in, out] needs.
Index weight_scales(const Granularity& granularity, Index in, Index out);

}  // namespace xfq::quant

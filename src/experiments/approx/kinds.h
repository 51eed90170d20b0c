// Three kinds of input for one recipe: a table, a sequence and a grid, each with the
// methods that its specialists would use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "baselines.h"
#include "targets.h"

namespace xfq::experiments::approx {

struct Kind {
  std::string name;  ///< "tabular", "sequence", "grid"
  /// Inputs as the network sees them (scaled to about mean 0 and variance 1, tokens
  /// one-hot, pixels row by row); outputs with noise of 0.3 standard deviations.
  Samples training, judging;
  /// Specialised methods by name, and the features that make each of them linear.
  std::vector<std::pair<std::string, Features>> specialists;
};

/// tabular:  Friedman's first function of ten uniform inputs, five of which matter
///           (Friedman 1991): linear regression; all terms of degree 2 and of degree 3
/// sequence: twelve tokens of four kinds, the sum of a random score for every two
///           neighbours: a weight per token and place; counts of neighbouring pairs
/// grid:     an 8 x 8 image of one blob with pixel noise, how far it is from the centre:
///           linear regression; moments of the image up to degree 2 and their ratios
std::vector<Kind> kinds(std::uint64_t seed, Index training_rows);

}  // namespace xfq::experiments::approx

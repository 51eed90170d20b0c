// Question 23: why INT8? Trains a decoder, quantizes its weights and activations,
// and measures what that costs. Method and claims: src/experiments/quantize/README.md.
#pragma once

#include <memory>

#include "xfq/experiments/experiment.h"

namespace xfq::experiments {

std::unique_ptr<Experiment> make_quantize();

}  // namespace xfq::experiments

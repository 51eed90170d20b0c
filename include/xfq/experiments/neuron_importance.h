// Question 25: which neurons matter, and which score knows it? Scores units of a trained model and
// holds them against exact ablation. Method and claims:
// src/experiments/neuron_importance/README.md.
#pragma once

#include <memory>

#include "xfq/experiments/experiment.h"

namespace xfq::experiments {

std::unique_ptr<Experiment> make_neuron_importance();

}  // namespace xfq::experiments

// Question 22: how does the batch size move perplexity? Measures gradient noise, and
// perplexity over batch sizes at equal steps, equal tokens and equal time. Method and
// claims: src/experiments/batch_ppl/README.md.
#pragma once

#include <memory>

#include "xfq/experiments/experiment.h"

namespace xfq::experiments {

std::unique_ptr<Experiment> make_batch_ppl();

}  // namespace xfq::experiments

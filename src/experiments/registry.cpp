// The written registry: one row per experiment.
#include "xfq/experiments/experiment.h"
#include "xfq/experiments/quantize.h"

namespace xfq::experiments {

const std::vector<Entry>& registry() {
  static const std::vector<Entry> entries = {
      {"quantize",
       "Question 23: what quantization costs, and why 8 bits",
       23,
       {"--bits 8", "--bits 2,3,4,6,8 --calibration minmax,kl"},
       make_quantize},
  };
  return entries;
}

}  // namespace xfq::experiments

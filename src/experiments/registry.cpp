// The written registry: one row per experiment.
#include "xfq/experiments/approx.h"
#include "xfq/experiments/batch_ppl.h"
#include "xfq/experiments/experiment.h"
#include "xfq/experiments/neuron_importance.h"
#include "xfq/experiments/nsp.h"
#include "xfq/experiments/quantize.h"

namespace xfq::experiments {

const std::vector<Entry>& registry() {
  static const std::vector<Entry> entries = {
      {"approx",
       "Question 24: what networks can represent, and what they learn",
       24,
       {"--part universal --target runge,step --widths 4,8,16,32", "--part sequence --task sort"},
       make_approx},
      {"batch-ppl",
       "Question 22: how the batch size moves gradient noise and perplexity",
       22,
       {"--batch-sizes 4,32,256 --budget tokens", "--optimizer sgd --lr 1 --lr-rule tuned,linear"},
       make_batch_ppl},
      {"neuron-importance",
       "Question 25: which neurons matter, and which score knows it",
       25,
       {"--unit head --oracle zero,mean,resample", "--score taylor,std,random --tokens 16384"},
       make_neuron_importance},
      {"nsp",
       "Question 21: what next-sentence prediction teaches, costs and is worth",
       21,
       {"--objective none,nsp,sop,three-way", "--negative-share 0.5,0.75,0.9 --remedy weights"},
       make_nsp},
      {"quantize",
       "Question 23: what quantization costs, and why 8 bits",
       23,
       {"--bits 8", "--bits 4 --recover qat,gptq", "--bits 2,3,4,6,8 --parts none"},
       make_quantize},
  };
  return entries;
}

}  // namespace xfq::experiments

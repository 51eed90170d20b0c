// Quantization-aware training: fine-tuning in rounded form, and the same number of steps in fp32
// as its control. (Jacob et al. 2018; straight-through gradient, Bengio et al. 2013)
#pragma once

#include <cstdint>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"
#include "xfq/train/model_cache.h"

namespace xfq::experiments::quantize {

struct FinetuneRow {
  std::int64_t bits = 0;  ///< 32: the fp32 control
  bool trained = false;   ///< not taken from the cache
  Score score;            ///< against the fp32 model before fine-tuning
};

/// Fine-tunes for --finetune-steps on batches that training has not seen, weights and activations
/// in `bits` as recover.h's reference has them, the activations' ranges fixed before. bits 32: in
/// fp32. The weights that are trained stay fp32; what is scored is their rounded form.
FinetuneRow finetune(const Subject& subject, std::int64_t bits, train::ModelCache* cache);

struct SeedResult;
Table finetune_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

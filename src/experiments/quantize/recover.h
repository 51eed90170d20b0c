// Getting the quality back after training: each technique beside the plain rounding that it
// improves on.
//   rtn              round to nearest, scales per output channel, one static activation range
//                    clipped by MSE: the reference that the others start from
//   dynamic          activation scales per token, at run time
//   smooth           activation range migrated into weights (Xiao et al. 2023, SmoothQuant)
//   outlier-columns  outlier input channels in fp32 (Dettmers et al. 2022, LLM.int8())
//   hadamard         inputs rotated (Ashkboos et al. 2024, QuaRot)
//   gptq             weights rounded to second order (Frantar et al. 2023); also with activations
//                    in fp32, weights-gptq, where its reference is weights-rtn
//   bias-correction  the mean of every output restored (Nagel et al. 2019)
//   mixed            the quarter of the products that matter most by token KL in 8 bits
//                    (in fp32 where the others have 8 bits or more)
//   qat              finetune.h
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

struct RecoverRow {
  std::int64_t bits = 0;
  std::string technique;  ///< "rtn", "weights-rtn", "weights-gptq", a word of --recover but qat
  Score score;
};

/// The reference's plan.
quant::Plan rtn_plan(const Subject& subject, std::int64_t bits);

std::vector<RecoverRow> measure_recover(const Subject& subject, std::int64_t bits);

struct SeedResult;
Table recover_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize

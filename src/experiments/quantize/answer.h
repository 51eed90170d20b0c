// The answer in words, from the numbers.
#pragma once

#include <string>
#include <vector>

#include "arms.h"
#include "summary.h"
#include "xfq/core/text.h"
#include "xfq/corpus/language.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

struct AnswerNumbers {
  const Options& options;
  const corpus::LanguageData& data;
  const std::vector<Arm>& arms;
  const std::vector<quant::ModelBytes>& bytes;  ///< of every arm
  const std::vector<SeedResult>& seeds;
  const Summary& summary;
};

/// One paragraph; parts that were not measured are not mentioned.
Text answer(const AnswerNumbers& numbers);

}  // namespace xfq::experiments::quantize

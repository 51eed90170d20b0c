// From measurements of every seed to the record: metrics, tables, claims, answer.
#pragma once

#include <vector>

#include "agree.h"
#include "measure.h"
#include "options.h"
#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::neuron_importance {

/// A seed with its rank correlations.
struct Judged {
  SeedResult result;
  std::vector<AgreementRow> agreement;
  std::vector<EntropyAgreement> entropy;  ///< as result.entropies

  /// nullptr when this was not measured.
  const AgreementRow* find(const std::string& score, const std::string& oracle,
                           const std::string& measure) const;
};

void fill_record(const Options& options, const Subject& subject, const std::vector<Judged>& seeds,
                 Record& record);

}  // namespace xfq::experiments::neuron_importance

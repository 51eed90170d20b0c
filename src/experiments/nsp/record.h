// From the runs' results to metrics, tables, claims and the answer.
#pragma once

#include <vector>

#include "claims.h"
#include "measure.h"
#include "options.h"
#include "xfq/core/record.h"

namespace xfq::experiments::nsp {

/// Everything that one seed has yielded; one result per arm, in the order of the arms.
struct SeedResult {
  std::vector<ArmResult> arms;
  BaselineResult baseline;
};

/// What is counted, not trained.
struct Counts {
  corpus::CollisionCount collisions;
  corpus::GeneratorCount generator;
  double natural_share = 0;                 ///< of negatives among all ordered pairs of sentences
  double pair_run = 0, contiguous_run = 0;  ///< words in a row that run on, by input format
  double head_parameters = 0, head_parameter_share = 0, head_flop_share = 0;
};

/// An arm has learnt its task when its accuracy on it is at least this, and at most
/// kBelowWords below that of the bag of words.
constexpr double kLearnt = 0.6;
constexpr double kBelowWords = 0.05;
bool has_learnt(const Arm& arm, const ArmResult& result, const BaselineResult& baseline);

/// The numbers that the claims rest on; seeds on a plateau are left out.
Evidence gather(const Options& options, const std::vector<Arm>& arms,
                const std::vector<SeedResult>& seeds, const Counts& counts);

/// Fills metrics, tables, claims, answer and the warnings that follow from them.
void fill_record(const Options& options, const std::vector<Arm>& arms, const Bench& bench,
                 const std::vector<SeedResult>& seeds, const Counts& counts, Record& record);

}  // namespace xfq::experiments::nsp

// Numbers of one seed, and over seeds, that metrics, tables, claims and the answer share.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "claims.h"
#include "measure.h"
#include "options.h"
#include "xfq/corpus/bert_generator.h"
#include "xfq/stats/intervals.h"

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

/// A number of one seed; none where it was not measured.
using Number = std::function<std::optional<double>(const SeedResult&)>;
/// Its mean over the seeds that have one.
stats::Estimate over(const std::vector<SeedResult>& seeds, const Number& number);

/// The place of the arm with that id.
std::optional<std::size_t> position(const std::vector<Arm>& arms, const std::string& id);
/// The most unequal share of negatives that was trained plainly.
std::optional<std::size_t> most_unequal(const std::vector<Arm>& arms);

/// What the arm's own head has on a test, or one that was fitted to it when it has none.
std::optional<double> score_of(const ArmResult& result, const Arm& arm, const std::string& test,
                               double Score::*what);

/// The numbers that the claims rest on; seeds on a plateau are left out.
Evidence gather(const Options& options, const std::vector<Arm>& arms,
                const std::vector<SeedResult>& seeds, const Counts& counts);

}  // namespace xfq::experiments::nsp

// From intervals to verdicts (src/README.md, "Claims"). Thresholds and rules are
// written in code before a run and printed with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/stats/intervals.h"

namespace xfq::stats {

// What an interval [lo, hi] must do. The outcome is `pass` when the whole
// interval satisfies the rule, `fail` when the whole interval contradicts it,
// `undecided` when it straddles or when there is no interval.
enum class RuleKind {
  at_least,  ///< value >= a:      pass lo >= a, fail hi < a
  at_most,   ///< value <= a:      pass hi <= a, fail lo > a
  above,     ///< value > a:       pass lo > a, fail hi <= a
  below,     ///< value < a:       pass hi < a, fail lo >= a
  within,    ///< a <= value <= b: pass [lo,hi] inside, fail disjoint
  outside,   ///< value < a or > b: pass disjoint from [a,b], fail inside
};

struct Rule {
  RuleKind kind = RuleKind::at_least;
  double a = 0;
  double b = 0;              ///< within and outside only
  std::string text() const;  ///< "ci.lo >= 0.85", "ci within [-0.02, 0.02]"
};

// Thresholds are finite, a <= b; otherwise ErrorKind::run.
Rule at_least(double a);
Rule at_most(double a);
Rule above(double a);
Rule below(double a);
Rule within(double a, double b);
Rule outside(double a, double b);

Outcome judge(const Rule& rule, const Interval& ci);

/// The smallest n at which the t interval of the estimate, with the spread seen now
/// around the value seen now, would decide the rule; more than estimate.n. None when the
/// observations are not seeds, when there is no interval, when the value stands on a
/// threshold, and above kMostSeeds.
inline constexpr std::int64_t kMostSeeds = 10000;
std::optional<std::int64_t> seeds_to_decide(const Rule& rule, const Estimate& estimate);

/// A statement with its rule, what was measured and what came out.
struct JudgedTest {
  ClaimTest test;  ///< for the record
  Rule rule;
  Estimate estimate;
  bool control = false;  ///< see make_control
};

/// Judges the estimate. `condition` names the circumstances when a claim is tested
/// under several ("equal tokens"); a test without one belongs to every condition.
/// An estimate without an interval is undecided, for the estimate's reason.
/// Throws ErrorKind::run on a value or interval that is not finite.
JudgedTest make_test(const Text& statement, const Rule& rule, const Estimate& estimate,
                     const Text& condition = {});

/// What must hold before the other tests of its claim say anything. Where it fails it is
/// undecided and refutes nothing.
JudgedTest make_control(const Text& statement, const Rule& rule, const Estimate& estimate);

/// The verdict. A condition holds when all its tests pass, those without a condition
/// included; it fails when one fails; else it is open. All are open unless every control
/// passes. Then, in this order:
///   no test                                      -> inconclusive
///   one condition holds and another one fails    -> conditional
///   one condition fails                          -> refuted
///   all conditions hold                          -> supported
///   else                                         -> inconclusive
/// `conditions` lists the named ones: "holds under A; fails under B; open under C".
/// `seeds_needed`, for an inconclusive verdict only: the largest seeds_to_decide
/// of the undecided tests; none when one of these has none.
/// That all tests must pass keeps the error of `supported` at a single test's; that
/// one failure refutes does not, so give a claim few tests.
Claim make_claim(const std::string& id, const Text& claim, const std::vector<JudgedTest>& tests);

}  // namespace xfq::stats

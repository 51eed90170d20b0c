// Rules on intervals, and the verdict over a claim's tests.
#include "xfq/stats/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checks.h"
#include "xfq/core/error.h"

namespace xfq::stats {
namespace {

Rule make_rule(RuleKind kind, double a, double b) {
  if (!(std::isfinite(a) && std::isfinite(b) && a <= b)) {
    throw_run(fmt::format("rule with thresholds {} and {}, expected finite ascending ones", a, b));
  }
  return Rule{kind, a, b};
}

bool has_range(RuleKind kind) { return kind == RuleKind::within || kind == RuleKind::outside; }

// A fail outweighs an open test, an open test outweighs a pass.
Outcome worse(Outcome a, Outcome b) {
  if (a == Outcome::fail || b == Outcome::fail) return Outcome::fail;
  if (a == Outcome::undecided || b == Outcome::undecided) return Outcome::undecided;
  return Outcome::pass;
}

struct Condition {
  Text name;
  Outcome outcome = Outcome::pass;
};

// The conditions in the order in which they first appear; a single one without a
// name when no test names any.
std::vector<Condition> judge_conditions(const std::vector<JudgedTest>& tests) {
  std::vector<Condition> conditions;
  Outcome common = Outcome::pass;
  for (const JudgedTest& judged : tests) {
    const ClaimTest& test = judged.test;
    if (test.condition.empty()) {
      common = worse(common, test.outcome);
      continue;
    }
    const auto found =
        std::find_if(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.name == test.condition; });
    if (found == conditions.end()) {
      conditions.push_back({test.condition, test.outcome});
    } else {
      found->outcome = worse(found->outcome, test.outcome);
    }
  }
  if (conditions.empty()) conditions.push_back({"", Outcome::pass});
  const bool controlled = std::all_of(tests.begin(), tests.end(), [](const JudgedTest& judged) {
    return !judged.control || judged.test.outcome == Outcome::pass;
  });
  for (Condition& condition : conditions) {
    condition.outcome = controlled ? worse(condition.outcome, common) : Outcome::undecided;
  }
  return conditions;
}

Text describe(const std::vector<Condition>& conditions) {
  struct Group {
    Outcome outcome;
    const char* format;
  };
  std::vector<Text> groups;
  for (const Group& group :
       {Group{Outcome::pass, "holds under {}"}, Group{Outcome::fail, "fails under {}"},
        Group{Outcome::undecided, "open under {}"}}) {
    std::vector<Text> names;
    for (const Condition& condition : conditions) {
      if (condition.outcome == group.outcome) names.push_back(condition.name);
    }
    const Text listed = listing(names);
    if (!listed.empty()) groups.push_back(phrase(group.format, {listed}));
  }
  return clauses(groups);
}

std::optional<std::int64_t> seeds_needed(const std::vector<JudgedTest>& tests) {
  std::optional<std::int64_t> most;
  for (const JudgedTest& judged : tests) {
    if (judged.test.outcome != Outcome::undecided) continue;
    const auto seeds = seeds_to_decide(judged.rule, judged.estimate);
    if (!seeds) return std::nullopt;
    most = std::max(most.value_or(0), *seeds);
  }
  return most;
}

}  // namespace

std::string Rule::text() const {
  switch (kind) {
    case RuleKind::at_least:
      return fmt::format("ci.lo >= {}", a);
    case RuleKind::at_most:
      return fmt::format("ci.hi <= {}", a);
    case RuleKind::above:
      return fmt::format("ci.lo > {}", a);
    case RuleKind::below:
      return fmt::format("ci.hi < {}", a);
    case RuleKind::within:
      return fmt::format("ci within [{}, {}]", a, b);
    case RuleKind::outside:
      return fmt::format("ci outside [{}, {}]", a, b);
  }
  return {};
}

Rule at_least(double a) { return make_rule(RuleKind::at_least, a, a); }
Rule at_most(double a) { return make_rule(RuleKind::at_most, a, a); }
Rule above(double a) { return make_rule(RuleKind::above, a, a); }
Rule below(double a) { return make_rule(RuleKind::below, a, a); }
Rule within(double a, double b) { return make_rule(RuleKind::within, a, b); }
Rule outside(double a, double b) { return make_rule(RuleKind::outside, a, b); }

Outcome judge(const Rule& rule, const Interval& ci) {
  if (!(std::isfinite(ci.lo) && std::isfinite(ci.hi) && ci.lo <= ci.hi)) {
    throw_run(fmt::format("interval [{}, {}], expected finite ascending ends", ci.lo, ci.hi));
  }
  const auto outcome = [](bool pass, bool fail) {
    return pass ? Outcome::pass : fail ? Outcome::fail : Outcome::undecided;
  };
  const bool inside = ci.lo >= rule.a && ci.hi <= rule.b;
  const bool disjoint = ci.hi < rule.a || ci.lo > rule.b;
  switch (rule.kind) {
    case RuleKind::at_least:
      return outcome(ci.lo >= rule.a, ci.hi < rule.a);
    case RuleKind::at_most:
      return outcome(ci.hi <= rule.a, ci.lo > rule.a);
    case RuleKind::above:
      return outcome(ci.lo > rule.a, ci.hi <= rule.a);
    case RuleKind::below:
      return outcome(ci.hi < rule.a, ci.lo >= rule.a);
    case RuleKind::within:
      return outcome(inside, disjoint);
    case RuleKind::outside:
      return outcome(disjoint, inside);
  }
  return Outcome::undecided;
}

std::optional<std::int64_t> seeds_to_decide(const Rule& rule, const Estimate& estimate) {
  if (!estimate.over_seeds || !estimate.value || !estimate.ci || estimate.n < 2) {
    return std::nullopt;
  }
  double distance = std::abs(*estimate.value - rule.a);
  if (has_range(rule.kind)) distance = std::min(distance, std::abs(*estimate.value - rule.b));
  if (distance == 0) return std::nullopt;
  const double sd = estimate.standard_error * std::sqrt(static_cast<double>(estimate.n));
  auto seeds = seeds_for_half_width(sd, distance, estimate.level, kMostSeeds);
  if (!seeds) return std::nullopt;
  // An interval of another kind may be open where the t interval would not be.
  *seeds = std::max(*seeds, estimate.n + 1);
  if (*seeds > kMostSeeds) return std::nullopt;
  return seeds;
}

JudgedTest make_test(const Text& statement, const Rule& rule, const Estimate& estimate,
                     const Text& condition) {
  if (estimate.value) check_finite({*estimate.value}, statement.english());
  JudgedTest judged;
  judged.rule = rule;
  judged.estimate = estimate;
  ClaimTest& test = judged.test;
  test.statement = statement;
  test.rule = rule.text();
  test.value = estimate.value;
  test.ci = estimate.ci;
  test.n = estimate.n;
  test.condition = condition;
  if (!estimate.ci) {
    test.outcome = Outcome::undecided;
    test.reason = estimate.reason.empty() ? Text("no interval") : estimate.reason;
    return judged;
  }
  test.outcome = judge(rule, *estimate.ci);
  if (test.outcome == Outcome::undecided) {
    test.reason = phrase("the interval [{:.4g}, {:.4g}] does not settle \"{}\"",
                         {estimate.ci->lo, estimate.ci->hi, test.rule});
  }
  return judged;
}

JudgedTest make_control(const Text& statement, const Rule& rule, const Estimate& estimate) {
  JudgedTest judged = make_test(statement, rule, estimate);
  judged.control = true;
  if (judged.test.outcome == Outcome::fail) {
    judged.test.outcome = Outcome::undecided;
    judged.test.reason = phrase("a control that does not hold decides no claim", {});
    judged.estimate.over_seeds = false;  // more of them would not mend it
  }
  return judged;
}

Claim make_claim(const std::string& id, const Text& claim, const std::vector<JudgedTest>& tests) {
  Claim result;
  result.id = id;
  result.claim = claim;
  if (tests.empty()) return result;
  for (const JudgedTest& judged : tests) result.tests.push_back(judged.test);

  const std::vector<Condition> conditions = judge_conditions(tests);
  const auto any = [&](Outcome outcome) {
    return std::any_of(conditions.begin(), conditions.end(),
                       [&](const Condition& condition) { return condition.outcome == outcome; });
  };
  result.conditions = describe(conditions);
  if (any(Outcome::fail)) {
    result.verdict = any(Outcome::pass) ? Verdict::conditional : Verdict::refuted;
  } else if (any(Outcome::undecided)) {
    result.verdict = Verdict::inconclusive;
    result.seeds_needed = seeds_needed(tests);
  } else {
    result.verdict = Verdict::supported;
  }
  return result;
}

}  // namespace xfq::stats

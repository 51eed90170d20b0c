// Rules and verdicts: each one comes out on made data, and flips when the data do.
#include "xfq/stats/claims.h"

#include <cmath>

#include "property.h"
#include "xfq/core/error.h"

using namespace xfq::stats;
using xfq::Claim;
using xfq::Interval;
using xfq::Outcome;
using xfq::Verdict;
using xfq::test::check_property;
using Values = std::vector<double>;

namespace {

Estimate interval(double lo, double hi) {
  Estimate estimate;
  estimate.value = 0.5 * (lo + hi);
  estimate.ci = Interval{lo, hi};
  estimate.n = 5;
  estimate.standard_error = (hi - lo) / 5;
  return estimate;
}

JudgedTest passing(const std::string& condition = {}) {
  return make_test("passes", at_least(0), interval(1, 2), condition);
}
JudgedTest failing(const std::string& condition = {}) {
  return make_test("fails", at_least(0), interval(-2, -1), condition);
}
JudgedTest open(const std::string& condition = {}) {
  return make_test("straddles", at_least(0), interval(-1, 2), condition);
}

Claim claim_of(const std::vector<JudgedTest>& tests) {
  return make_claim("x.y", "It is so", tests);
}

}  // namespace

TEST_CASE("rules read as they judge") {
  CHECK(at_least(0.85).text() == "ci.lo >= 0.85");
  CHECK(at_most(0.005).text() == "ci.hi <= 0.005");
  CHECK(above(0).text() == "ci.lo > 0");
  CHECK(below(-1).text() == "ci.hi < -1");
  CHECK(within(-0.02, 0.02).text() == "ci within [-0.02, 0.02]");
  CHECK(outside(0.45, 0.55).text() == "ci outside [0.45, 0.55]");
  CHECK_THROWS_AS(within(1, 0), xfq::Error);
  CHECK_THROWS_AS(at_least(NAN), xfq::Error);
  CHECK_THROWS_AS(above(INFINITY), xfq::Error);
}

TEST_CASE("every outcome of every rule, ends included") {
  struct Case {
    Rule rule;
    Interval ci;
    Outcome expected;
  };
  const Outcome pass = Outcome::pass;
  const Outcome fail = Outcome::fail;
  const Outcome undecided = Outcome::undecided;
  const std::vector<Case> cases = {
      {at_least(1), {1, 2}, pass},        {at_least(1), {0.9, 2}, undecided},
      {at_least(1), {0, 1}, undecided},   {at_least(1), {0, 0.9}, fail},
      {at_most(1), {0, 1}, pass},         {at_most(1), {0, 1.1}, undecided},
      {at_most(1), {1, 2}, undecided},    {at_most(1), {1.1, 2}, fail},
      {above(1), {1.1, 2}, pass},         {above(1), {1, 2}, undecided},
      {above(1), {0, 1}, fail},           {above(1), {1, 1}, fail},
      {below(1), {0, 0.9}, pass},         {below(1), {0, 1}, undecided},
      {below(1), {1, 2}, fail},           {below(1), {1, 1}, fail},
      {within(0, 1), {0, 1}, pass},       {within(0, 1), {0.2, 1.1}, undecided},
      {within(0, 1), {-1, 2}, undecided}, {within(0, 1), {1.1, 2}, fail},
      {within(0, 1), {-2, -1}, fail},     {within(0, 1), {1, 2}, undecided},
      {outside(0, 1), {1.1, 2}, pass},    {outside(0, 1), {-2, -1}, pass},
      {outside(0, 1), {0, 1}, fail},      {outside(0, 1), {0.2, 1.1}, undecided},
      {outside(0, 1), {-1, 2}, undecided}};
  for (const Case& c : cases) {
    INFO(c.rule.text() << " on [" << c.ci.lo << ", " << c.ci.hi << "]");
    CHECK(judge(c.rule, c.ci) == c.expected);
  }
  CHECK_THROWS_AS(judge(at_least(0), Interval{2, 1}), xfq::Error);
  CHECK_THROWS_AS(judge(at_least(0), Interval{0, NAN}), xfq::Error);
}

TEST_CASE("a test carries what was measured") {
  const JudgedTest judged = make_test("the gap is small", within(-1, 1), interval(-0.5, 0.25), "A");
  CHECK(judged.test.statement == "the gap is small");
  CHECK(judged.test.rule == "ci within [-1, 1]");
  CHECK(*judged.test.value == -0.125);
  CHECK(judged.test.ci->hi == 0.25);
  CHECK(judged.test.n == 5);
  CHECK(judged.test.condition == "A");
  CHECK(judged.test.outcome == Outcome::pass);
  CHECK(judged.test.reason.empty());
  CHECK(open().test.reason == "the interval [-1, 2] does not settle \"ci.lo >= 0\"");

  Estimate broken = interval(0, 1);
  broken.value = NAN;
  CHECK_THROWS_AS(make_test("x", at_least(0), broken), xfq::Error);
  CHECK_THROWS_AS(make_test("x", at_least(0), interval(0, INFINITY)), xfq::Error);
}

TEST_CASE("without an interval nothing is decided, and the reason is kept") {
  const JudgedTest one_seed = make_test("x", at_least(0), mean_t({1000.0}));
  CHECK(one_seed.test.outcome == Outcome::undecided);
  CHECK(*one_seed.test.value == 1000);
  CHECK_FALSE(one_seed.test.ci);
  CHECK(one_seed.test.reason == "1 observation, an interval needs 2 or more");
  const Claim claim = claim_of({passing(), one_seed});
  CHECK(claim.verdict == Verdict::inconclusive);
  CHECK_FALSE(claim.seeds_needed);
  CHECK(claim.tests[1].reason == one_seed.test.reason);
  CHECK(make_test("x", at_least(0), Estimate{}).test.reason == "no interval");
}

TEST_CASE("verdicts without conditions") {
  CHECK(claim_of({}).verdict == Verdict::inconclusive);
  CHECK(claim_of({passing(), passing()}).verdict == Verdict::supported);
  CHECK(claim_of({passing(), failing()}).verdict == Verdict::refuted);
  CHECK(claim_of({open(), failing()}).verdict == Verdict::refuted);
  CHECK(claim_of({passing(), open()}).verdict == Verdict::inconclusive);
  const Claim claim = claim_of({passing(), failing()});
  CHECK(claim.id == "x.y");
  CHECK(claim.claim == "It is so");
  CHECK(claim.conditions.empty());
  CHECK(claim.tests.size() == 2);
  CHECK_FALSE(claim.seeds_needed);
}

TEST_CASE("verdicts over conditions") {
  const Claim both = claim_of({passing("A"), passing("B")});
  CHECK(both.verdict == Verdict::supported);
  CHECK(both.conditions == "holds under A, B");

  const Claim split = claim_of({passing("A"), failing("B"), open("C"), passing("A")});
  CHECK(split.verdict == Verdict::conditional);
  CHECK(split.conditions == "holds under A; fails under B; open under C");

  // One failing test spoils its condition.
  const Claim spoilt = claim_of({passing("A"), failing("A"), failing("B")});
  CHECK(spoilt.verdict == Verdict::refuted);
  CHECK(spoilt.conditions == "fails under A, B");

  const Claim half_open = claim_of({passing("A"), open("B")});
  CHECK(half_open.verdict == Verdict::inconclusive);
  CHECK(half_open.conditions == "holds under A; open under B");
  CHECK(half_open.seeds_needed);

  CHECK(claim_of({failing("A"), open("B")}).verdict == Verdict::refuted);
}

TEST_CASE("a test without a condition counts under every one") {
  CHECK(claim_of({passing(), passing("A"), failing("B")}).verdict == Verdict::conditional);
  // Then no condition holds, for the common test fails under each.
  const Claim failed = claim_of({failing(), passing("A"), passing("B")});
  CHECK(failed.verdict == Verdict::refuted);
  CHECK(failed.conditions == "fails under A, B");
  // And none is known to hold while the common one is open.
  CHECK(claim_of({open(), passing("A"), failing("B")}).verdict == Verdict::refuted);
  CHECK(claim_of({open(), passing("A"), passing("B")}).verdict == Verdict::inconclusive);
}

TEST_CASE("while a control is not shown to hold, nothing is decided") {
  const auto control = [](const Interval& ci) {
    return make_control("control", at_least(0), interval(ci.lo, ci.hi));
  };
  const JudgedTest held = control({1, 2});
  CHECK(held.test.outcome == Outcome::pass);
  CHECK(claim_of({held, passing("A"), failing("B")}).verdict == Verdict::conditional);
  CHECK(claim_of({held, failing()}).verdict == Verdict::refuted);

  // A failing one refutes nothing, and more seeds would not help.
  const JudgedTest failed = control({-2, -1});
  CHECK(failed.test.outcome == Outcome::undecided);
  CHECK(failed.test.reason == "a control that does not hold decides no claim");
  const Claim stopped = claim_of({failed, passing("A"), failing("B")});
  CHECK(stopped.verdict == Verdict::inconclusive);
  CHECK(stopped.conditions == "open under A, B");
  CHECK(stopped.tests.size() == 3);
  CHECK_FALSE(stopped.seeds_needed);

  // One that straddles waits for more seeds, and so does what a test refutes meanwhile.
  const Claim waiting = claim_of({control({-1, 2}), failing()});
  CHECK(waiting.verdict == Verdict::inconclusive);
  CHECK(waiting.seeds_needed);
}

TEST_CASE("a verdict on measured seeds flips with the data") {
  // Gain of arm a over arm b must be positive; five seeds, a common seed effect.
  const Values b = {1.0, 5.0, 3.0, 2.0, 4.0};
  const auto verdict = [&](const Values& gain) {
    Values a(b.size());
    for (std::size_t i = 0; i < b.size(); ++i) a[i] = b[i] + gain[i];
    return claim_of({make_test("a beats b", above(0), paired_t(a, b))});
  };
  CHECK(verdict({0.25, 0.5, 0.375, 0.25, 0.5}).verdict == Verdict::supported);
  CHECK(verdict({-0.25, -0.5, -0.375, -0.25, -0.5}).verdict == Verdict::refuted);
  CHECK(verdict({0, 0, 0, 0, 0}).verdict == Verdict::refuted);
  const Claim open_claim = verdict({0.5, -0.25, 0.5, -0.25, 0.5});
  CHECK(open_claim.verdict == Verdict::inconclusive);
  // Mean 0.2, standard deviation 0.75 sqrt(6/5 / 4): the search of
  // t(n - 1) 0.41079 / sqrt(n) <= 0.2 with t tables gives 19.
  CHECK(open_claim.seeds_needed == 19);
}

TEST_CASE("seeds to decide") {
  // sd = 1 from five seeds, and the distance to the nearest threshold 0.5: 18, as
  // for a half-width of 0.5.
  Estimate estimate;
  estimate.value = 0.5;
  estimate.n = 5;
  estimate.standard_error = 1 / std::sqrt(5.0);
  estimate.ci = Interval{-0.74, 1.74};
  CHECK(seeds_to_decide(at_least(0), estimate) == 18);
  CHECK(seeds_to_decide(at_most(0), estimate) == 18);
  CHECK(seeds_to_decide(within(0, 5), estimate) == 18);
  CHECK(seeds_to_decide(within(-5, 1), estimate) == 18);
  CHECK(seeds_to_decide(outside(1, 5), estimate) == 18);
  CHECK(seeds_to_decide(at_least(0.4), estimate) == 387);  // half-width 0.1, also searched
  // On the threshold, or nearly so: never within the limit.
  CHECK_FALSE(seeds_to_decide(at_least(0.5), estimate));
  CHECK_FALSE(seeds_to_decide(at_least(0.4999), estimate));
  // Not fewer than there are already, whatever made the interval.
  estimate.n = 40;
  estimate.standard_error = 1 / std::sqrt(40.0);
  CHECK(seeds_to_decide(at_least(0), estimate) == 41);
  // Items are not seeds.
  estimate.over_seeds = false;
  CHECK_FALSE(seeds_to_decide(at_least(0), estimate));
  CHECK_FALSE(seeds_to_decide(at_least(0), mean_t({1.0})));
}

TEST_CASE("seeds needed are those of the hardest open test") {
  Estimate easy = interval(-1, 2);  // sd 0.6 sqrt 5, half a unit from 0
  Estimate hard = easy;
  hard.value = 0.1;
  const auto needed = [](const std::vector<JudgedTest>& tests) {
    return claim_of(tests).seeds_needed;
  };
  const auto few = needed({make_test("easy", at_least(0), easy)});
  const auto many = needed({make_test("hard", at_least(0), hard)});
  REQUIRE(few);
  REQUIRE(many);
  CHECK(*few < *many);
  CHECK(needed({make_test("easy", at_least(0), easy), make_test("hard", at_least(0), hard),
                passing()}) == many);
  // One open test that no number of seeds settles leaves the whole open.
  const JudgedTest one_seed = make_test("x", at_least(0), mean_t({1}));
  CHECK_FALSE(needed({make_test("easy", at_least(0), easy), one_seed}));
}

TEST_CASE("more seeds do settle") {
  // The promise of seeds_to_decide: with the same value and spread, that many seeds
  // decide and one fewer do not.
  check_property("the promised number is the smallest that decides", [] {
    // At most (4 * 1.96 / 0.2)^2 = 1537 seeds, below the limit.
    const double value = *rc::gen::inRange(10, 100) / 50.0;
    const double sd = *rc::gen::inRange(50, 200) / 50.0;
    const auto at = [&](std::int64_t n) {
      Estimate estimate;
      estimate.value = value;
      estimate.n = n;
      estimate.standard_error = sd / std::sqrt(static_cast<double>(n));
      // Half-width from observations with this very mean and spread.
      Values observations;
      for (std::int64_t i = 0; i < n; ++i) {
        observations.push_back(i % 2 == 0 ? 1.0 : -1.0);
      }
      if (n % 2 != 0) observations.back() = 0;
      const Estimate unit = mean_t(observations);
      const double unit_sd = unit.standard_error * std::sqrt(static_cast<double>(n));
      const double half_width = (unit.ci->hi - unit.ci->lo) / 2 * sd / unit_sd;
      estimate.ci = Interval{value - half_width, value + half_width};
      return estimate;
    };
    const Estimate now = at(2);
    RC_PRE(judge(at_least(0), *now.ci) == Outcome::undecided);
    const auto seeds = seeds_to_decide(at_least(0), now);
    RC_ASSERT(seeds.has_value());
    RC_ASSERT(judge(at_least(0), *at(*seeds).ci) == Outcome::pass);
    RC_ASSERT(judge(at_least(0), *at(*seeds - 1).ci) == Outcome::undecided);
  });
}

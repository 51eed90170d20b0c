// `xfq batch-ppl`: the rules of its claims on made data, its fits in closed form, and the
// experiment through its interface.
#include "xfq/experiments/batch_ppl.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "../../src/experiments/batch_ppl/claims.h"
#include "../../src/experiments/batch_ppl/fit.h"
#include "../../src/experiments/batch_ppl/options.h"
#include "../../src/experiments/batch_ppl/sweep.h"
#include "catch.h"
#include "run_experiment.h"
#include "xfq/core/error.h"

namespace xfq::experiments {

using namespace batch_ppl;

using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::StopAfterRuns;
using test::table;
using test::value;

namespace {

/// Three seeds around a value.
PerSeed around(double value, double spread = 0.001) {
  return {value - spread, value, value + spread};
}

ClaimNumbers supported() {
  ClaimNumbers n;
  n.variance_slope = around(-1);
  n.finite_ratio = around(1);
  n.cosine_r_squared = around(0.99);
  n.cosine_at_noise_scale = around(0.71);
  n.budgets = {{"steps", around(-0.2)}, {"tokens", around(-0.1)}, {"time", around(-0.1)}};
  n.small_steps = around(1);
  n.small_frozen = around(0.5);
  n.small_scaled = around(0.1);
  return n;
}

Verdict verdict(const ClaimNumbers& n, std::size_t claim) { return make_claims(n)[claim].verdict; }

constexpr double kWide = 1;  // a spread over seeds that decides nothing

}  // namespace

TEST_CASE("batch-ppl: every verdict can come out otherwise") {
  const ClaimNumbers base = supported();
  const std::vector<Claim> claims = make_claims(base);
  REQUIRE(claims.size() == 4);
  const char* ids[] = {"batch.steadier-gradient", "batch.truer-direction", "batch.larger-lower-ppl",
                       "batch.smaller-higher-ppl"};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(claims[i].id == ids[i]);
    CHECK(claims[i].verdict == Verdict::supported);
  }

  ClaimNumbers n = base;
  n.variance_slope = around(-0.8);  // outside -1 +- 0.05
  CHECK(verdict(n, 0) == Verdict::refuted);
  n.variance_slope = around(-1, kWide);
  CHECK(verdict(n, 0) == Verdict::inconclusive);
  n = base;
  n.finite_ratio = around(2);
  CHECK(verdict(n, 0) == Verdict::refuted);

  n = base;
  n.cosine_r_squared = around(0.5);
  CHECK(verdict(n, 1) == Verdict::refuted);
  n = base;
  n.cosine_at_noise_scale = around(0.9);
  CHECK(verdict(n, 1) == Verdict::refuted);
  n.cosine_at_noise_scale = {};  // no seed had a noise scale inside the curve
  CHECK(verdict(n, 1) == Verdict::inconclusive);

  n = base;
  n.budgets[1].nll_per_doubling = around(0.1);
  CHECK(verdict(n, 2) == Verdict::conditional);
  CHECK(make_claims(n)[2].conditions ==
        "holds under equal steps, equal time; fails under equal tokens");
  for (BudgetNumbers& budget : n.budgets) budget.nll_per_doubling = around(0.1);
  CHECK(verdict(n, 2) == Verdict::refuted);
  for (BudgetNumbers& budget : n.budgets) budget.nll_per_doubling = around(0, kWide);
  CHECK(verdict(n, 2) == Verdict::inconclusive);

  n = base;
  n.small_scaled = around(0);  // less than 2 % of perplexity counts as none
  CHECK(verdict(n, 3) == Verdict::conditional);
  n.small_steps = n.small_frozen = around(-0.1);
  CHECK(verdict(n, 3) == Verdict::refuted);
  n.small_steps = n.small_frozen = n.small_scaled = around(0, kWide);
  CHECK(verdict(n, 3) == Verdict::inconclusive);
  // Budgets and arms that were not asked for leave no test behind.
  n.small_frozen = n.small_scaled = {};
  CHECK(make_claims(n)[3].tests.size() == 1);
}

TEST_CASE("batch-ppl: the trade-off fit finds the hyperbola that the points lie on") {
  // S = 50 (1 + 30 / B).
  const std::vector<double> batches = {1, 4, 16, 64, 256};
  std::vector<double> steps;
  for (const double b : batches) steps.push_back(50 * (1 + 30 / b));
  const auto fit = fit_trade_off(batches, steps);
  REQUIRE(fit.has_value());
  CHECK(fit->critical_batch == Approx(30).epsilon(1e-6));
  CHECK(fit->least_steps == Approx(50).epsilon(1e-6));
  CHECK(fit->least_sequences == Approx(1500).epsilon(1e-6));
  CHECK(fit->rms < 1e-8);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    CHECK((steps[i] / fit->least_steps - 1) * (batches[i] * steps[i] / fit->least_sequences - 1) ==
          Approx(1).epsilon(1e-5));
  }
  // A constant number of steps has no critical batch, nor has a constant number of sequences.
  CHECK_FALSE(fit_trade_off({4, 16, 64}, {50, 50, 50}).has_value());
  CHECK_FALSE(fit_trade_off({4, 16, 64}, {160, 40, 10}).has_value());
  CHECK_FALSE(fit_trade_off({4, 16}, {50, 40}).has_value());
}

TEST_CASE("batch-ppl: the first crossing of a target, linear in the logarithm of updates") {
  Trajectory t;
  for (const auto& [updates, nll] :
       std::vector<std::pair<std::int64_t, double>>{{10, 3.0}, {40, 2.0}, {80, 2.5}, {160, 1.0}}) {
    Point point;
    point.updates = updates;
    point.nll = nll;
    t.points.push_back(point);
  }
  // Half way from 3 to 2 is the geometric mean of 10 and 40.
  CHECK(*updates_to(t, 2.5, &Point::nll) == Approx(20));
  CHECK(*updates_to(t, 2.0, &Point::nll) == Approx(40));
  CHECK(*updates_to(t, 3.5, &Point::nll) == Approx(10));
  CHECK_FALSE(updates_to(t, 0.5, &Point::nll).has_value());
}

TEST_CASE("batch-ppl: options that contradict each other or the data are refused") {
  const auto refusal = [](const Settings& settings) -> std::string {
    try {
      run_experiment(make_batch_ppl(), settings);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return error.what();
    }
    return {};
  };
  CHECK(refusal({{"batch_sizes", "4,16,512"}, {"sequences", "512"}}).find("rows of the training") !=
        std::string::npos);
  CHECK(refusal({{"batch_sizes", "4,16"}}) == "--batch-sizes: got 2, expected three or more");
  CHECK(refusal({{"batch_sizes", "4,8,64"}}).find("reference --batch-size 16") !=
        std::string::npos);
  CHECK(refusal({{"batch_sizes", "4,16,16"}}).find("twice") != std::string::npos);
  CHECK(refusal({{"sequences", "8"}}).find("--sequences: got 8") == 0);
  CHECK(refusal({{"lr_rule", "tuned,fixed,sqrt"}, {"beta2_rule", "tokens,fixed"}})
            .find("as many of one as of the other") != std::string::npos);
  CHECK(refusal({{"lr_rule", "tuned,tuned"}, {"beta2_rule", "tokens"}}).find("arm tuned.tokens") !=
        std::string::npos);
  CHECK(refusal({{"momentum", "0.9"}}).find("--momentum") == 0);
  CHECK(refusal({{"budget", "steps,steps"}}).find("--budget") == 0);
}

TEST_CASE("batch-ppl: the result does not depend on threads or on the cache") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_batch_ppl_test_cache").string();
  std::filesystem::remove_all(folder);
  const Record one = run_experiment(make_batch_ppl(), {{"threads", "1"}});
  const Settings cached = {{"threads", "2"}, {"cache", "true"}, {"cache_folder", folder}};
  const Record fresh = run_experiment(make_batch_ppl(), cached);
  const Record again = run_experiment(make_batch_ppl(), cached);
  CHECK(same_result(one, fresh));
  CHECK(same_result(one, again));
  CHECK(fresh.cost.tokens > 0);
  CHECK(again.cost.tokens == 0);
  std::filesystem::remove_all(folder);

  // What must hold at any size. B = 1 is among the batches of the smoke profile.
  CHECK_FALSE(one.evidence);
  CHECK(value(one, "noise.slope") == Approx(-1).margin(0.15));
  CHECK(value(one, "accumulation.rest_is_equal") == 1);
  CHECK(value(one, "accumulation.share_of_bound") <= 1);
  CHECK(value(one, "steps.spearman") < 0);
  CHECK(value(one, "steps.nll") > value(one, "entropy_floor"));
  CHECK(one.claims.size() == 4);
  // 2 arms, 3 budgets, 4 batch sizes; the time is counted, and measured beside it.
  CHECK(table(one, "budgets").rows.size() == 24);
  CHECK(one.cost.tables.size() == 1);
}

TEST_CASE("batch-ppl: budgets, rules and the optimizer can be chosen") {
  const Settings small = {{"seeds", "1"}, {"steps", "6"}, {"sequences", "64"}, {"threads", "1"}};
  const auto with = [&](Settings extra) {
    extra.insert(extra.begin(), small.begin(), small.end());
    return run_experiment(make_batch_ppl(), extra);
  };
  const Record rules = with({{"budget", "steps"},
                             {"lr_rule", "sqrt,linear,fixed"},
                             {"beta2_rule", "fixed"},
                             {"hessian_products", "0"}});
  for (const auto& row : table(rules, "budgets").rows) {
    const double ratio = static_cast<double>(std::get<std::int64_t>(row[2])) / 16;
    const std::string arm = std::get<std::string>(row[1]);
    const double factor = arm == "fixed.fixed" ? 1 : arm == "sqrt.fixed" ? std::sqrt(ratio) : ratio;
    CHECK(std::get<double>(row[5]) == Approx(0.02 * factor));
    CHECK(std::get<double>(row[6]) == 0.99);
  }
  CHECK(table(rules, "sharpness").rows.empty());
  CHECK(table(rules, "search").rows.empty());

  const Record sgd = with({{"optimizer", "sgd"},
                           {"lr", "0.5"},
                           {"momentum", "0.5"},
                           {"lr_rule", "fixed"},
                           {"beta2_rule", "tokens"},
                           {"target_loss", "5.5"},
                           {"budget", "tokens"}});
  CHECK(value(sgd, "target_loss") == 5.5);
  for (const auto& row : table(sgd, "budgets").rows) {
    // The half-life of beta2 in tokens stays: 0.99^(B / 16).
    const double batch = static_cast<double>(std::get<std::int64_t>(row[2]));
    CHECK(std::get<double>(row[6]) == Approx(std::pow(0.99, batch / 16)));
  }
}

TEST_CASE("batch-ppl: a rate at which runs diverge leaves holes, not numbers") {
  const Record record = run_experiment(make_batch_ppl(), {{"seeds", "1"},
                                                          {"steps", "6"},
                                                          {"sequences", "64"},
                                                          {"optimizer", "sgd"},
                                                          {"lr_rule", "linear"},
                                                          {"clip", "0"},
                                                          {"warmup", "0"},
                                                          {"lr", "99"},
                                                          {"weight_decay", "10"},
                                                          {"target_loss", "3"}});
  bool hole = false;
  for (const auto& row : table(record, "runs").rows) {
    hole = hole || std::holds_alternative<std::monostate>(row[7]);
  }
  CHECK(hole);
}

TEST_CASE("batch-ppl: an interruption ends the run with its kind") {
  StopAfterRuns monitor(0);
  try {
    run_experiment(make_batch_ppl(), {}, monitor);
    FAIL("the monitor asked to stop");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::interrupted);
  }
}

}  // namespace xfq::experiments

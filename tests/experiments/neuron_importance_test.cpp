// `xfq neuron-importance` through its interface, and its claims on made numbers.
#include "xfq/experiments/neuron_importance.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "../../src/experiments/neuron_importance/claims.h"
#include "catch.h"
#include "run_experiment.h"

namespace xfq::experiments {

using namespace neuron_importance;
using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::StopAfterRuns;
using test::table;
using test::value;

namespace {

/// Three runs around a value, close enough for every rule here to decide.
std::vector<double> runs(double value) { return {value - 0.001, value, value + 0.001}; }
/// Three runs too far apart to decide anything.
std::vector<double> spread(double value) { return {value - 1, value, value + 1}; }

std::string text(const Table& from, std::size_t row, const std::string& column) {
  const auto at = std::find(from.columns.begin(), from.columns.end(), column);
  REQUIRE(at != from.columns.end());
  return std::get<std::string>(from.rows[row][static_cast<std::size_t>(at - from.columns.begin())]);
}

double number(const Table& from, std::size_t row, const std::string& column) {
  const auto at = std::find(from.columns.begin(), from.columns.end(), column);
  REQUIRE(at != from.columns.end());
  const Value& cell = from.rows[row][static_cast<std::size_t>(at - from.columns.begin())];
  if (std::holds_alternative<std::int64_t>(cell)) {
    return static_cast<double>(std::get<std::int64_t>(cell));
  }
  return std::get<double>(cell);
}

std::string refusal(const Settings& settings) {
  try {
    run_experiment(make_neuron_importance(), settings);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return {};
}

// Little work: one score from data, one oracle, no pruning beyond what must be.
const Settings kLittle = {{"seeds", "1"},          {"score", "taylor,std"}, {"oracle", "zero"},
                          {"finetune_steps", "0"}, {"iterative", "false"},  {"steps", "20"}};

Settings with(Settings extra) {
  Settings settings = kLittle;
  settings.insert(settings.end(), extra.begin(), extra.end());
  return settings;
}

}  // namespace

TEST_CASE("importance.gradient turns with the numbers") {
  const auto verdict = [](double rho, double advantage, double beaten) {
    GradientNumbers numbers;
    numbers.rankings = {{"E|g|", "within layers under zero ablation", runs(rho)}};
    numbers.taylor_advantage = runs(advantage);
    numbers.orders = {{"as it is", {beaten, beaten, beaten}}};
    return gradient_claim(numbers).verdict;
  };
  CHECK(verdict(0.6, 0, 1) == Verdict::supported);
  CHECK(verdict(0.4, 0.3, 0.5) == Verdict::refuted);
  CHECK(verdict(0.6, 0.3, 1) == Verdict::conditional);
  GradientNumbers unclear;
  unclear.rankings = {{"E|g|", "within layers under zero ablation", spread(0.6)}};
  CHECK(gradient_claim(unclear).verdict == Verdict::inconclusive);
  CHECK(gradient_claim(unclear).seeds_needed);
  CHECK(gradient_claim({}).verdict == Verdict::inconclusive);
}

TEST_CASE("importance.activation turns with the numbers") {
  const auto verdict = [](double rho, double activation_drop, double std_drop, double beaten) {
    ActivationNumbers numbers;
    numbers.rankings = {{"E|a|", "within layers under zero ablation", runs(rho)}};
    numbers.activation_drop = runs(activation_drop);
    numbers.std_drop = runs(std_drop);
    numbers.orders = {{"as it is", {beaten, beaten, beaten}}};
    return activation_claim(numbers);
  };
  CHECK(verdict(0.6, 0, 0, 1).verdict == Verdict::supported);
  CHECK(verdict(0.4, 0.2, 0.2, 0.5).verdict == Verdict::refuted);
  const Claim published = verdict(0.6, 0.2, 0, 1);
  CHECK(published.verdict == Verdict::conditional);
  CHECK(published.conditions.english().find("fails under E|a| under another baseline") !=
        std::string::npos);
}

TEST_CASE("importance.entropy turns with the numbers") {
  const auto verdict = [](double rho, double with_std, double partial, double beaten, double gain) {
    EntropyNumbers numbers;
    numbers.rankings = {{"the entropy", "within layers under zero ablation", runs(rho)}};
    numbers.rho_with_std = runs(with_std);
    numbers.partial_rho = runs(partial);
    numbers.orders = {{"as it is", {beaten, beaten, beaten}}};
    numbers.finetuned_gain = runs(gain);
    return entropy_claim(numbers).verdict;
  };
  CHECK(verdict(0.6, 0.5, 0.2, 1, 0.1) == Verdict::supported);
  CHECK(verdict(0.2, 0.99, -0.1, 0.4, -0.1) == Verdict::refuted);
  // The standard deviation's ranking by another name.
  CHECK(verdict(0.6, 0.99, 0.2, 1, 0.1) == Verdict::conditional);
  CHECK(verdict(0.6, 0.5, -0.2, 1, 0.1) == Verdict::conditional);
  CHECK(verdict(0.6, 0.5, 0.2, 1, -0.1) == Verdict::conditional);
}

TEST_CASE("published shapes are judged one by one") {
  ShapeNumbers numbers;
  numbers.taylor_over_activation = runs(0.1);
  numbers.taylor_collapse = runs(-0.1);
  numbers.std_drop = spread(0);
  const auto shapes = published_shapes(numbers);
  REQUIRE(shapes.size() == 3);
  CHECK(shapes[0].test.outcome == Outcome::pass);
  CHECK(shapes[1].test.outcome == Outcome::fail);
  CHECK(shapes[2].test.outcome == Outcome::undecided);
}

TEST_CASE("a run measures every score against every oracle") {
  const Record record = run_experiment(make_neuron_importance(), {});
  CHECK_FALSE(record.evidence);
  CHECK(record.question_number == 25);
  CHECK(record.claims.size() == 3);
  const std::int64_t scores = 20, oracles = 3, measures = 2, seeds = 2;
  CHECK(static_cast<std::int64_t>(table(record, "agreement").rows.size()) ==
        scores * oracles * measures * seeds);
  // 4 * 16 neurons in each of two layers, first seed.
  CHECK(static_cast<std::int64_t>(table(record, "damage").rows.size()) == 128 * oracles);
  CHECK(table(record, "units").rows.size() == 6);
  // All 128 neurons with layer, index, token KL and 20 scores.
  const Table& drawn = table(record, "oracle_scores");
  CHECK(drawn.columns.size() == 23);
  REQUIRE(drawn.rows.size() == 128);
  for (std::size_t row = 0; row < drawn.rows.size(); ++row) {
    CHECK(number(drawn, row, "layer") == static_cast<double>(row / 64));
    CHECK(number(drawn, row, "index") == static_cast<double>(row % 64));
    CHECK(number(drawn, row, "kl") ==
          Approx(number(table(record, "damage"), row, "kl")).epsilon(5e-4));  // four digits
  }
  // The score is the one that is told beside a unit's name.
  const Table& told = table(record, "unit_scores");
  REQUIRE(text(told, 0, "score") == "gradient");
  const auto unit = static_cast<std::size_t>(64 * number(told, 0, "layer")) +
                    static_cast<std::size_t>(number(told, 0, "index"));
  CHECK(number(drawn, unit, "gradient") == Approx(number(told, 0, "value")).epsilon(5e-4));
  CHECK(table(record, "unit_scores").rows.size() == 6 * 20);
  for (const char* oracle : {"zero", "mean", "resample"}) {
    const std::string prefix = std::string("oracle.") + oracle;
    // The token KL is steadier than the change of the loss, in every run so far by far.
    CHECK(value(record, prefix + ".kl.reliability") > value(record, prefix + ".nll.reliability"));
  }
  // Whatever the model: scores of nothing agree with nothing, first-order change with damage.
  CHECK(value(record, "taylor.zero.within") > 0.5);
  CHECK(std::abs(value(record, "random.zero.within")) < 0.3);
  CHECK(value(record, "magnitude.reliability") == Approx(1));
  // The most important unit does more damage than the least important one.
  const Table& units = table(record, "units");
  CHECK(text(units, 0, "end") == "most");
  CHECK(number(units, 0, "kl") >= number(units, 5, "kl"));
  // Of every order that starts with what matters most the loss rises faster.
  CHECK(value(record, "taylor.none.reverse_area") > value(record, "taylor.none.area"));
  // Bell-shaped values: entropy over shared bins is the ranking by standard deviation.
  CHECK(value(record, "entropy.normal.clipped.with_std") > 0.9);
  // The control lost nothing before its steps.
  const Table& finetuned = table(record, "finetuned");
  CHECK(text(finetuned, 0, "score") == "none");
  CHECK(number(finetuned, 0, "before") ==
        Approx(value(record, "model.nll")).margin(0.2));  // other seed in the mean
}

TEST_CASE("every kind of unit and both models") {
  for (const char* model : {"decoder", "encoder"}) {
    for (const char* unit : {"neuron", "head", "channel"}) {
      INFO(model << " " << unit);
      const Record record = run_experiment(
          make_neuron_importance(),
          with({{"model", model}, {"unit", unit}, {"top", "1"}, {"oracle_measure", "nll"}}));
      const std::size_t expected = unit[0] == 'n' ? 128 : unit[0] == 'h' ? 4 : 32;
      CHECK(table(record, "damage").rows.size() == expected);
      CHECK(value(record, "model.nll") > 0);
    }
  }
}

TEST_CASE("importance does not depend on threads or on the cache") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_importance_test_cache").string();
  std::filesystem::remove_all(folder);
  const auto run = [&](const Settings& extra) {
    Settings settings = {{"score", "taylor,entropy-own,random,shapley"}, {"steps", "20"}};
    settings.insert(settings.end(), extra.begin(), extra.end());
    return run_experiment(make_neuron_importance(), settings);
  };
  const Record reference = run({{"threads", "1"}});
  CHECK(
      same_result(reference, run({{"threads", "3"}, {"cache", "true"}, {"cache_folder", folder}})));
  const Record cached = run({{"cache", "true"}, {"cache_folder", folder}});
  CHECK(same_result(reference, cached));
  CHECK(cached.cost.tokens == 0);
  CHECK(reference.cost.tokens > 0);
  CHECK_FALSE(same_result(reference, run({{"seed", "5"}})));
  std::filesystem::remove_all(folder);
}

TEST_CASE("what cannot be measured leaves its tests out") {
  const Record record = run_experiment(make_neuron_importance(), with({{"score", "random"}}));
  CHECK(record.claims[0].tests.empty());
  CHECK(record.claims[0].verdict == Verdict::inconclusive);
  // One head a layer cannot be ranked within its layer; the reason is given.
  const Record heads = run_experiment(make_neuron_importance(),
                                      with({{"unit", "head"}, {"heads", "1"}, {"top", "1"}}));
  CHECK_FALSE(metric(heads, "taylor.zero.within").value);
  CHECK_FALSE(metric(heads, "taylor.zero.within").reason.empty());
}

TEST_CASE("combinations that make no sense are refused by name") {
  CHECK(refusal({{"score", "taylor,taylor"}}).find("--score") == 0);
  CHECK(refusal({{"prune_fractions", "0.5,0.2"}}).find("--prune-fractions") == 0);
  CHECK(refusal({{"model", "encoder"}, {"sequence", "stream"}}).find("--sequence") == 0);
  CHECK(refusal({{"model", "encoder"}, {"bias", "false"}}).find("--no-bias") == 0);
}

TEST_CASE("an interrupted run of importance keeps whole seeds") {
  /// Asks to stop once so many parts have finished.
  // Two models, then three parts of the first.
  StopAfterRuns first_seed(5);
  Settings settings = with({{"threads", "1"}});
  settings[0] = {"seeds", "2"};
  const Record record = run_experiment(make_neuron_importance(), settings, first_seed);
  CHECK(metric(record, "model.nll").n == 1);
  REQUIRE_FALSE(record.warnings.empty());
  CHECK(std::any_of(record.warnings.begin(), record.warnings.end(),
                    [](const Warning& warning) { return warning.code == "interrupted"; }));
  StopAfterRuns at_once(0);
  CHECK_THROWS_AS(run_experiment(make_neuron_importance(), settings, at_once), Error);
}

TEST_CASE("of many units a fixed number is drawn, from the least to the most damage") {
  // 4 * 32 neurons in each of two layers.
  const Record record = run_experiment(make_neuron_importance(), with({{"dim", "32"}}));
  const Table& drawn = table(record, "oracle_scores");
  CHECK(drawn.columns.size() == 5);  // layer, index, kl, and the two scores of these settings
  REQUIRE(drawn.rows.size() == 200);
  const auto sorted = [](const Table& from) {
    std::vector<double> values;
    for (std::size_t row = 0; row < from.rows.size(); ++row) {
      values.push_back(number(from, row, "kl"));
    }
    std::sort(values.begin(), values.end());
    return values;
  };
  const std::vector<double> some = sorted(drawn);
  const std::vector<double> all = sorted(table(record, "damage"));
  // Both ends, and between them place i of 199 in 255 steps.
  for (const std::size_t i : {0, 1, 100, 199}) {
    CHECK(some[i] == Approx(all[i * 255 / 199]).epsilon(5e-4));
  }
}

TEST_CASE("importance on a file") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "xfq_importance_test_corpus.txt").string();
  {
    std::ofstream out(path);
    for (int i = 0; i < 400; ++i) out << "the quick fox number " << i % 7 << " jumps again.\n";
  }
  const Record record =
      run_experiment(make_neuron_importance(), with({{"corpus", path}, {"context", "16"}}));
  CHECK(record.data.at(0).name == "xfq_importance_test_corpus.txt");
  CHECK(value(record, "taylor.zero.within") > 0);
  std::filesystem::remove(path);
}

}  // namespace xfq::experiments

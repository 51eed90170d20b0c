// `xfq approx`: every written-down network against its closed form, every baseline on
// the target that it must win, and the experiment through its interface.
#include "xfq/experiments/approx.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "../../src/experiments/approx/baselines.h"
#include "../../src/experiments/approx/constructions.h"
#include "../../src/experiments/approx/fit.h"
#include "../../src/experiments/approx/targets.h"
#include "../../src/experiments/approx/tasks.h"
#include "catch.h"
#include "run_experiment.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments::approx {

using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::StopAfterRuns;
using test::table;
using test::value;

// --- written-down networks ------------------------------------------------------------

TEST_CASE("every written-down network equals its closed form to rounding") {
  for (const std::string& name : construction_names()) {
    for (const Construction& c : constructions(name)) {
      INFO(name << " " << c.size);
      const ConstructionErrors errors = check(c);
      CHECK(errors.closed_form <= 1e-12);
      CHECK(errors.goal <= c.bound + 1e-12);
      if (c.tight) CHECK(std::abs(errors.goal - c.bound) <= 1e-12);
    }
  }
}

TEST_CASE("m layers of three ReLUs have a sup error of exactly 2^(-2m-2) on x^2") {
  // Yarotsky 2017, proposition 2; the grid holds the midpoints where it is reached.
  for (Index m = 1; m <= 12; ++m) {
    INFO(m);
    const Construction c = square_network(m);
    CHECK(check(c).goal == std::ldexp(1.0, static_cast<int>(-2 * m - 2)));
    CHECK(c.config.widths.size() == static_cast<std::size_t>(m) + 2);
  }
}

TEST_CASE("the sawtooth has 2^k pieces from k layers of two ReLUs") {
  // At j 2^-k it is 0 for even and 1 for odd j (Telgarsky 2016).
  for (const Index k : {1, 3, 6}) {
    const Construction c = sawtooth_network(k);
    std::vector<double> x;
    for (Index j = 0; j <= (Index{1} << k); ++j) {
      x.push_back(std::ldexp(static_cast<double>(j), static_cast<int>(-k)));
    }
    const std::vector<double> y = evaluate(c, x);
    for (std::size_t j = 0; j < y.size(); ++j) CHECK(y[j] == static_cast<double>(j % 2));
    CHECK(models::Mlp(c.config).layers().size() == static_cast<std::size_t>(k) + 1);
  }
}

TEST_CASE("a written-down network with one wrong weight is found") {
  Construction c = square_network(3);
  c.parameters[models::Mlp(c.config).layers()[1].weight] += 1e-9;
  CHECK(check(c).closed_form > 1e-11);
}

// --- baselines ------------------------------------------------------------------------

TEST_CASE("least squares solves what can be solved, dependent columns included") {
  // y = 1 + 2 a - b with the third column the sum of the first two: some exact solution.
  const std::vector<double> a = {0, 1, 2, 3, 5}, b = {1, 0, 4, -1, 2};
  std::vector<double> ones(5, 1.0), sum, y;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum.push_back(ones[i] + a[i]);
    y.push_back(1 + 2 * a[i] - b[i]);
  }
  const std::vector<double> c = least_squares({ones, a, sum, b}, y);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(c[0] + c[1] * a[i] + c[2] * sum[i] + c[3] * b[i] == Approx(y[i]).margin(1e-12));
  }
}

TEST_CASE("every baseline wins where it must") {
  const auto errors = [](const char* name, Index parameters) {
    const Target target = make_target(name, 1);
    const Samples samples = training_samples(target, 1, 512);
    const Samples judging = judging_samples(target, 1);
    std::map<std::string, double> l2;
    for (const Baseline& baseline : baselines(target, samples, parameters, 1)) {
      l2[baseline.name] = errors_of(baseline.predictor, judging).l2;
    }
    return l2;
  };
  const auto winner = [](const std::map<std::string, double>& l2) {
    std::string best = l2.begin()->first;
    for (const auto& [name, error] : l2) {
      if (error < l2.at(best)) best = name;
    }
    return best;
  };
  // A polynomial is its own Chebyshev interpolant, to rounding.
  CHECK(errors("square", 9).at("chebyshev") < 1e-14);
  CHECK(winner(errors("square", 9)) == "chebyshev");
  // Two whole periods: one term of the Fourier sum.
  CHECK(errors("sine", 9).at("fourier") < 1e-14);
  CHECK(winner(errors("sine", 9)) == "fourier");
  // Eight pieces with knots on the kinks.
  CHECK(errors("sawtooth:3", 9).at("spline") < 1e-14);
  CHECK(winner(errors("sawtooth:3", 9)) == "spline");
  // x y is a monomial of the two inputs.
  CHECK(errors("product", 9).at("polynomial") < 1e-12);
  CHECK(winner(errors("product", 9)) == "polynomial");
  // A sum of cosines whose directions are drawn as those of the features are.
  CHECK(winner(errors("barron:6", 129)) == "random_fourier");
  // Kinks make a jump; powers and slow cosines do not.
  const auto step = errors("ball:2", 65);
  CHECK(step.at("random_relu") < step.at("random_fourier"));
}

TEST_CASE("Chebyshev interpolation of an analytic function falls geometrically") {
  // 1 / (1 + 25 x^2) has poles at +- 0.2 i: rho = 0.2 + sqrt(1.04) = 1.2198. Ten more
  // terms divide the error by rho^10 = 7.29, up to a slowly varying factor.
  const Target target = make_target("runge", 1);
  const Samples judging = judging_samples(target, 1);
  const double coarse = errors_of(chebyshev(target, 41), judging).sup;
  const double fine = errors_of(chebyshev(target, 51), judging).sup;
  CHECK(coarse / fine == Approx(std::pow(0.2 + std::sqrt(1.04), 10)).epsilon(0.1));
}

TEST_CASE("feature counts are what they are asked to be and begin alike") {
  const double x[] = {0.3, -0.7, 0.2};
  for (const Index n : {1, 4, 10, 17}) {
    INFO(n);
    CHECK(polynomial_features(3, n)(x).size() == static_cast<std::size_t>(n));
    const std::vector<double> few = random_relu_features(3, n, 5)(x);
    const std::vector<double> more = random_relu_features(3, n + 3, 5)(x);
    CHECK(few.size() == static_cast<std::size_t>(n));
    CHECK(std::equal(few.begin(), few.end(), more.begin()));
  }
  // Degree 2 in three variables, lexicographic.
  const std::vector<double> expected = {1, 0.3, -0.7, 0.2, 0.09, -0.21, 0.06, 0.49, -0.14, 0.04};
  const std::vector<double> got = polynomial_features(3, 10)(x);
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(got[i] == Approx(expected[i]));
}

TEST_CASE("layers at equal parameters stay below the limit and come close to it") {
  CHECK(parameter_count({64}, 1) == 193);  // 64 weights, 64 biases, 64 weights, 1 bias
  CHECK(parameter_count({3, 2}, 2) == 3 * 3 + 2 * 4 + 3);
  for (const Index depth : {1, 2, 4, 6}) {
    const std::vector<Index> hidden = hidden_layers(depth, 2, 300);
    std::vector<Index> wider = hidden;
    for (Index& width : wider) ++width;
    CHECK(hidden.size() == static_cast<std::size_t>(depth));
    CHECK(parameter_count(hidden, 2) <= 300);
    CHECK(parameter_count(wider, 2) > 300);
  }
}

// --- tasks ----------------------------------------------------------------------------

TEST_CASE("every task's targets follow from its tokens") {
  for (const std::string& task : task_names()) {
    INFO(task);
    TaskConfig config{task, 8, 5};
    Stream stream(3, "test");
    const TaskBatch batch = draw_task(config, 50, stream);
    const std::size_t time = static_cast<std::size_t>(config.time());
    REQUIRE(batch.tokens.size() == 50 * time);
    for (std::size_t b = 0; b < 50; ++b) {
      const auto x = [&](std::size_t t) { return batch.tokens[b * time + t]; };
      const auto y = [&](std::size_t t) { return batch.targets[b * time + t]; };
      std::int32_t sum = 0;
      std::multiset<std::int32_t> in, out;
      for (std::size_t t = 0; t < time; ++t) {
        CHECK(x(t) < config.vocab());
        CHECK(y(t) < config.vocab());
        in.insert(x(t));
        out.insert(y(t));
        sum += x(t);
        if (task == "reverse") CHECK(y(t) == x(time - 1 - t));
        if (task == "copy") CHECK(y((t + 2) % time) == x(t));
        if (task == "sum") CHECK(y(t) == sum % 5);
        if (task == "parity") CHECK(y(t) == sum % 2);
        if (task == "sort" && t > 0) CHECK(y(t) >= y(t - 1));
        if (task == "recall" && t + 1 < time) CHECK(y(t) == -1);
        if (task == "recall" && t + 1 < time && t % 2 == 0 && x(t) == x(time - 1)) {
          CHECK(y(time - 1) == x(t + 1));
        }
      }
      if (task == "sort") CHECK(in == out);
      for (std::size_t t = 0; task == "count" && t < time; ++t) {
        CHECK(y(t) + 1 == static_cast<std::int32_t>(in.count(x(t))));
      }
    }
  }
}

// --- the experiment -------------------------------------------------------------------

TEST_CASE("without non-linearity depth gives least squares; polynomials stay polynomials") {
  const Record record =
      run_experiment(make_approx(), {{"part", "nonlinearity"}, {"steps", "1500"}, {"seeds", "1"}});
  // The bar.
  CHECK(std::abs(value(record, "nonlinearity.excess_over_ols")) <= 1e-6);
  for (const auto& row : table(record, "nonlinearity").rows) {
    if (std::holds_alternative<double>(row[7])) {
      CHECK(std::get<double>(row[7]) <= 1e-12);  // nothing beyond degree k^L
      CHECK(std::get<double>(row[5]) >=          // so never below the best polynomial
            std::get<double>(row[6]) * (1 - 1e-9));
    }
  }
  CHECK(value(record, "nonlinearity.sine.2.mse") < value(record, "nonlinearity.square.2.mse"));
}

TEST_CASE("without positions a Transformer commutes with permutations, with them it does not") {
  const Record record =
      run_experiment(make_approx(), {{"part", "sequence"}, {"task", "count"}, {"seeds", "1"}});
  // Sums over positions in another order: a few times the rounding of 2^-53 of logits near 1.
  CHECK(value(record, "permutation.bag") < 1e-13);
  CHECK(value(record, "permutation.positions") > 1e-3);
}

TEST_CASE("tasks of order need positions, counting does not") {
  const Record record = run_experiment(make_approx(), {{"part", "sequence"},
                                                       {"task", "reverse,count"},
                                                       {"length", "4"},
                                                       {"symbols", "3"},
                                                       {"seeds", "1"},
                                                       {"sequence_lr", "0.01"},
                                                       {"sequence_steps", "1500"}});
  CHECK(value(record, "task.reverse.l1d16h2.positions.accuracy") > 0.95);
  // Equal tokens get equal answers: over all 3^4 sequences the best rule that knows the
  // token and the bag alone is right on 51 of 81 tokens; four standard deviations of a
  // sample of 1024 are 0.06.
  CHECK(value(record, "task.reverse.l1d16h2.bag.accuracy") < 51.0 / 81 + 0.06);
  CHECK(value(record, "task.count.l1d16h2.bag.accuracy") > 0.95);
}

TEST_CASE("threads do not change what is computed") {
  const Record record = run_experiment(make_approx(), {{"part", "parallel"}, {"workers", "1,2,3"}});
  CHECK(value(record, "parallel.output_difference") == 0);
  CHECK(table(record, "parallel").rows.size() == 3);
  CHECK(record.claims.at(0).verdict == Verdict::conditional);
  // Time stands under cost alone.
  CHECK_FALSE(record.cost.measurements.empty());
  for (const Metric& m : record.metrics) CHECK(m.unit != "s");
}

TEST_CASE("functions are drawn as the first seed learned and as they were written down") {
  const Record record = run_experiment(make_approx(), {{"part", "universal"},
                                                       {"target", "runge,ball:2"},
                                                       {"widths", "3,4,16"},
                                                       {"construction", "square,sawtooth,product"},
                                                       {"seed", "5"}});
  const auto number = [](const Value& cell) { return std::get<double>(cell); };
  // A ball has two variables; 128 cells have 129 ends.
  const Table& functions = table(record, "functions");
  REQUIRE(functions.rows.size() == 129);
  CHECK(number(functions.rows.front()[1]) == -1);
  CHECK(number(functions.rows.back()[1]) == 1);
  CHECK(number(functions.rows[64][2]) == 1);         // 1 / (1 + 25 * 0)
  CHECK(number(functions.rows[0][2]) == 0.0384615);  // 1 / 26 to six digits
  // The same mean square as that on 2048 midpoints, in whose rows it stands.
  const auto integral = [&](std::size_t column) {
    double sum = 0;
    for (std::size_t r = 0; r < functions.rows.size(); ++r) {
      const double error = number(functions.rows[r][column]) - number(functions.rows[r][2]);
      sum += (r == 0 || r == 128 ? 0.5 : 1.0) * error * error / 128;
    }
    return sum;
  };
  const auto judged = [&](const char* name, std::size_t key, std::int64_t wanted) {
    for (const auto& row : table(record, name).rows) {
      const bool network = name == std::string("depths") || row[1] == Value("network");
      if (row[0] == Value("runge") && network && row[key] == Value(wanted) &&
          row[4] == Value(std::int64_t{5})) {
        return number(row[5]);
      }
    }
    return -1.0;
  };
  CHECK(integral(3) == Approx(judged("widths", 2, 3)).epsilon(0.01));
  CHECK(integral(4) == Approx(judged("widths", 2, 16)).epsilon(0.01));
  CHECK(integral(5) == Approx(judged("depths", 1, 2)).epsilon(0.01));

  // The largest twins of size 4 at most; a product has two variables. 64 cells each.
  const Table& twins = table(record, "twins");
  REQUIRE(twins.rows.size() == 2 * 65);
  for (std::size_t i = 0; i <= 64; ++i) {
    CHECK(twins.rows[i][0] == Value("sawtooth"));
    CHECK(twins.rows[i][1] == Value(std::int64_t{4}));
    // A tent of 16 pieces: up over four cells, down over four.
    const double tent = static_cast<double>(i % 8 <= 4 ? i % 8 : 8 - i % 8) / 4;
    CHECK(number(twins.rows[i][4]) == tent);
    // 16 pieces interpolate x^2 at every fourth place.
    CHECK(twins.rows[65 + i][0] == Value("square"));
    const double x = static_cast<double>(i) / 64;
    if (i % 4 == 0) CHECK(number(twins.rows[65 + i][4]) == Approx(x * x).margin(1e-6));
  }
}

TEST_CASE("the result does not depend on threads, on the cache or on the kernel") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_approx_test_cache").string();
  std::filesystem::remove_all(folder);
  const auto with = [](Settings extra) {
    extra.insert(extra.begin(), {"part", "nonlinearity,universal,features,sequence"});
    extra.insert(extra.begin(), {"construction", "square,product"});
    return run_experiment(make_approx(), extra);
  };
  const Record reference = with({{"threads", "1"}});
  CHECK(same_result(reference, with({{"threads", "3"}})));
  const Record fresh = with({{"cache", "true"}, {"cache_folder", folder}});
  const Record cached = with({{"cache", "true"}, {"cache_folder", folder}});
  CHECK(same_result(reference, fresh));
  CHECK(same_result(reference, cached));
  CHECK(fresh.cost.tokens > 0);
  CHECK(cached.cost.tokens == 0);
  CHECK(same_result(reference, with({{"kernel", "reference"}})));
  kernels::select("auto");
  CHECK_FALSE(same_result(reference, with({{"seed", "2"}})));
  std::filesystem::remove_all(folder);
}

TEST_CASE("parts that are not asked for leave no trace") {
  const Record record = run_experiment(make_approx(), {{"part", "features"}});
  CHECK(record.claims.size() == 3);
  for (const Table& t : record.tables) {
    const bool own = t.name == "features" || t.name == "training_modes" || t.name == "kinds";
    CHECK(own);
  }
}

namespace {

std::string refusal(const Settings& settings) {
  try {
    run_experiment(make_approx(), settings);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("options that make no sense are refused before any work") {
  CHECK(refusal({{"target", "rung"}}).find("'rung'") != std::string::npos);
  CHECK(refusal({{"target", "ball"}}) ==
        "--target: got 'ball', expected ball:N with N from 1 to 64");
  CHECK(refusal({{"target", "sine:3"}}).find("'sine:3'") != std::string::npos);
  CHECK(refusal({{"widths", "4,8"}}) == "--widths: got 2, expected three or more");
  CHECK(refusal({{"widths", "4,8,8"}}) == "--widths: 8 is asked for twice");
  CHECK(refusal({{"dim", "16,24"}, {"heads", "16"}}) ==
        "--heads: got 16, expected a divisor of every --dim, 24 is none");
  CHECK(refusal({{"length", "20"}, {"task", "recall"}}) ==
        "--length: got 20, expected at most 14 for recall with --symbols 6");
  CHECK(refusal({{"target_file", "/nowhere.csv"}}).find("/nowhere.csv") != std::string::npos);
}

TEST_CASE("a file is a target like any other") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "xfq_approx_test.csv").string();
  const auto write = [&](const std::string& heading, int rows, const std::string& last) {
    std::ofstream out(path);
    out << heading;
    for (int i = 0; i < rows; ++i) out << i % 10 << "," << i % 7 << "," << i % 10 - i % 7 << "\n";
    out << last;
  };
  write("a,b,y\n", 200, "");
  const Target target = read_target_file(path);
  CHECK(target.dim == 2);
  CHECK(target.file.rows == 200);
  const Samples training = training_samples(target, 1, 1000);
  const Samples judging = judging_samples(target, 1);
  CHECK(training.rows == 160);
  CHECK(judging.rows == 40);
  // a - b is linear: three coefficients hold it.
  for (const Baseline& baseline : baselines(target, training, 10, 1)) {
    if (baseline.name == "polynomial") CHECK(errors_of(baseline.predictor, judging).sup < 1e-9);
  }
  const Record record = run_experiment(
      make_approx(), {{"part", "universal"}, {"target_file", path}, {"construction", "square"}});
  CHECK(value(record, "file.polynomial.mse") < 1e-9);
  CHECK(record.data.at(0).documents == 200);

  const auto complaint = [&] {
    try {
      read_target_file(path);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      return std::string(error.what());
    }
    return std::string();
  };
  write("", 30, "1,2\n");
  CHECK(complaint().find("line 31: got 2 columns, expected 3") != std::string::npos);
  write("", 30, "1,2,nan\n");
  CHECK(complaint().find("line 31: expected finite numbers") != std::string::npos);
  write("", 5, "");
  CHECK(complaint().find("has 5 rows, expected at least 20") != std::string::npos);
  std::filesystem::remove(path);
}

TEST_CASE("an interrupted run keeps the seeds that are whole and says so") {
  // Features has 2 + 2 + 3 jobs a seed in this profile: the first seed is whole after 7.
  const Settings settings = {{"part", "features"}, {"threads", "1"}, {"seeds", "3"}};
  StopAfterRuns after_one_seed(8);
  const Record record = run_experiment(make_approx(), settings, after_one_seed);
  CHECK(metric(record, "kind.grid.ratio").n == 1);
  REQUIRE_FALSE(record.warnings.empty());
  CHECK(record.warnings[0].code == "interrupted");
  StopAfterRuns in_the_first(3);
  CHECK_THROWS_AS(run_experiment(make_approx(), settings, in_the_first), Error);
}

}  // namespace xfq::experiments::approx

// `xfq quantize` through its interface: the numbers behave as the theory says, and
// depend on nothing they should not depend on.
#include "xfq/experiments/quantize.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "catch.h"
#include "run_experiment.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments {

using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::table;
using test::value;

TEST_CASE("fewer bits cost more") {
  const Record record = run_experiment(
      make_quantize(), {{"bits", "16,8,6,4,3,2"}, {"calibration", "minmax"}, {"steps", "120"}});
  CHECK_FALSE(record.evidence);
  double last = 0;
  for (const char* bits : {"16", "8", "6", "4", "3", "2"}) {
    const std::string arm = std::string("w") + bits + "a" + bits + ".minmax";
    INFO(arm);
    // Halving the number of levels four-folds the noise power; KL is quadratic
    // in small noise, so it must rise with every step of this list.
    const double kl = value(record, arm + ".kl_mean");
    CHECK(kl > last);
    last = kl;
    CHECK(value(record, arm + ".same_top") <= 1);
    CHECK(value(record, arm + ".nll") - value(record, "fp32.nll") ==
          Approx(value(record, arm + ".delta_nll")).margin(1e-9));
    CHECK(value(record, arm + ".perplexity") > 1);
  }
  CHECK(value(record, "w2a2.minmax.delta_nll") > 0);
  // 16 bits are two bytes a weight, 8 bits one; scales and unquantized tensors come on top.
  const double fp32 = value(record, "fp32.bytes");
  CHECK(value(record, "w16a16.minmax.bytes") > fp32 / 2);
  CHECK(value(record, "w8a8.minmax.bytes") > fp32 / 4);
  CHECK(value(record, "w8a8.minmax.bytes") < value(record, "w16a16.minmax.bytes"));
}

TEST_CASE("sixteen bits with scales found at run time change next to nothing") {
  // With a static range a few validation values lie beyond what was calibrated,
  // and no number of bits undoes the clipping; per token nothing clips. The noise
  // power of 16 bits is 2^-16 of that of 8 bits, where KL is about 1e-4 here.
  const Record record = run_experiment(
      make_quantize(), {{"bits", "8,16"}, {"granularity", "token"}, {"steps", "120"}});
  CHECK(value(record, "w8a8.token.kl_mean") < 1e-3);
  CHECK(value(record, "w16a16.token.kl_mean") < 1e-7);
  CHECK(value(record, "w16a16.token.same_top") > 0.999);
}

TEST_CASE("no model goes below the entropy floor") {
  const Record record = run_experiment(make_quantize(), {{"steps", "200"}});
  const double floor = value(record, "entropy_floor");
  CHECK(floor > 0);
  CHECK(value(record, "fp32.nll") > floor);
  CHECK(value(record, "fp32.perplexity") ==
        Approx(std::exp(value(record, "fp32.nll"))).epsilon(0.01));
}

TEST_CASE("the result does not depend on threads, on the cache or on the kernel") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_quantize_test_cache").string();
  std::filesystem::remove_all(folder);
  const Settings base = {{"seeds", "3"}, {"bits", "4"}};
  const auto with = [&](Settings extra) {
    extra.insert(extra.begin(), base.begin(), base.end());
    return run_experiment(make_quantize(), extra);
  };
  const Record reference = with({{"threads", "1"}});
  CHECK(same_result(reference, with({{"threads", "2"}})));
  CHECK(same_result(reference, with({{"threads", "4"}})));
  const Record fresh = with({{"cache", "true"}, {"cache_folder", folder}});
  const Record cached = with({{"cache", "true"}, {"cache_folder", folder}});
  CHECK(same_result(reference, fresh));
  CHECK(same_result(reference, cached));
  CHECK(fresh.cost.tokens > 0);
  CHECK(cached.cost.tokens == 0);
  for (const std::string& kernel : kernels::available()) {
    if (kernel == "eigen") continue;
    INFO(kernel);
    CHECK(same_result(reference, with({{"kernel", kernel}})));
  }
  // The exact kernels differ from the reference nowhere; `check` shows it.
  const Record checked = with({{"kernel", "check"}});
  CHECK(same_result(reference, checked));
  REQUIRE(checked.environment.back().first == "kernel_check");
  const auto& differences = std::get<std::vector<std::string>>(checked.environment.back().second);
  CHECK(std::find(differences.begin(), differences.end(), "gemm 0") != differences.end());
  kernels::select("auto");
  CHECK_FALSE(same_result(reference, with({{"seed", "2"}})));
  std::filesystem::remove_all(folder);
}

TEST_CASE("every combination of options names its arms") {
  const auto arms_of = [](const Settings& settings) {
    const Record record = run_experiment(make_quantize(), settings);
    std::vector<std::string> ids;
    for (const auto& row : table(record, "arms").rows) {
      const std::string id = std::get<std::string>(row[0]);
      if (ids.empty() || ids.back() != id) ids.push_back(id);
    }
    return ids;
  };
  CHECK(arms_of({{"bits", "4,8"}, {"calibration", "mse,kl"}}) ==
        std::vector<std::string>{"w4a4.mse", "w4a4.kl", "w8a8.mse", "w8a8.kl"});
  CHECK(arms_of({{"weights_only", "true"}}) == std::vector<std::string>{"w8"});
  CHECK(arms_of({{"granularity", "token"}}) == std::vector<std::string>{"w8a8.token"});
  CHECK(arms_of({{"granularity", "group:8"}, {"scheme", "affine"}}) ==
        std::vector<std::string>{"w8a8.group:8"});
  CHECK_THROWS_AS(arms_of({{"bits", "8,8"}}), Error);
}

TEST_CASE("leaving the head out keeps it in fp32") {
  const Settings without = {{"quantize_head", "false"}, {"weights_only", "true"}};
  const Record head = run_experiment(make_quantize(), {{"weights_only", "true"}});
  const Record no_head = run_experiment(make_quantize(), without);
  CHECK(value(no_head, "w8.bytes") > value(head, "w8.bytes"));
  for (const auto& row : table(no_head, "tensors").rows) {
    CHECK(std::get<std::string>(row[3]) != "wte");
  }
}

namespace {

/// Asks to stop once `runs` runs have finished, or at once.
class StopAfterRuns : public Monitor {
 public:
  explicit StopAfterRuns(int runs) : runs_(runs) {}
  bool stop_requested() const override { return finished_ >= runs_; }
  void finished(const std::string&) override { ++finished_; }

 private:
  int runs_;
  int finished_ = 0;
};

}  // namespace

TEST_CASE("an interrupted run keeps what has finished and says so") {
  StopAfterRuns after_one(1);
  const Record record =
      run_experiment(make_quantize(), {{"seeds", "3"}, {"threads", "1"}}, after_one);
  CHECK(metric(record, "fp32.nll").n == 1);
  CHECK_FALSE(metric(record, "fp32.nll").ci.has_value());
  REQUIRE_FALSE(record.warnings.empty());
  CHECK(record.warnings[0].code == "interrupted");

  StopAfterRuns at_once(0);
  try {
    run_experiment(make_quantize(), {}, at_once);
    FAIL("nothing had finished");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::interrupted);
  }
}

TEST_CASE("training that diverges is an error, not a number") {
  try {
    run_experiment(make_quantize(), {{"lr", "100"},
                                     {"clip", "0"},
                                     {"schedule", "constant"},
                                     {"init", "5"},
                                     {"embedding_init", "10"},
                                     {"warmup", "0"},
                                     {"beta2", "0"},
                                     {"beta1", "0"},
                                     {"weight_decay", "10"},
                                     {"steps", "200"}});
    FAIL("a learning rate of 100 with a decay of 10 multiplies the weights by -999 a step");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::run);
    CHECK(std::string(error.what()).find("diverged at step") != std::string::npos);
  }
}

TEST_CASE("a checkpoint is quantized as the model it was saved from") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "xfq_quantize_test_model";
  fs::remove_all(folder);
  const Settings one = {{"seeds", "1"}, {"cache", "true"}, {"cache_folder", folder.string()}};
  const Record trained = run_experiment(make_quantize(), one);
  std::string checkpoint;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") checkpoint = entry.path().string();
  }
  REQUIRE_FALSE(checkpoint.empty());
  // Sizes come from the file, whatever the options say.
  const Record loaded = run_experiment(
      make_quantize(), {{"model", checkpoint}, {"layers", "7"}, {"dim", "128"}, {"seeds", "5"}});
  CHECK(same_result(trained, loaded));
  CHECK(loaded.cost.tokens == 0);

  CHECK_THROWS_AS(run_experiment(make_quantize(), {{"model", checkpoint}, {"vocab", "100"}}),
                  Error);
  fs::resize_file(checkpoint, 1000);
  try {
    run_experiment(make_quantize(), {{"model", checkpoint}});
    FAIL("the file is cut off");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).find(checkpoint) != std::string::npos);
  }
  fs::remove_all(folder);
}

TEST_CASE("a file is a corpus like any other") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "xfq_quantize_test_corpus.txt").string();
  {
    std::ofstream out(path);
    for (int i = 0; i < 400; ++i) out << "the quick fox number " << i % 7 << " jumps again.\n";
  }
  for (const char* tokenizer : {"char", "byte", "word"}) {
    INFO(tokenizer);
    const Record record = run_experiment(
        make_quantize(),
        {{"corpus", path}, {"tokenizer", tokenizer}, {"context", "16"}, {"seeds", "2"}});
    CHECK(record.data.at(0).name == "xfq_quantize_test_corpus.txt");
    CHECK(value(record, "fp32.bits_per_byte") > 0);
    CHECK(value(record, "w8a8.kl.kl_mean") > 0);
  }
  std::filesystem::remove(path);
}

}  // namespace xfq::experiments

// `xfq quantize` through its interface: the numbers behave as the theory says, and
// depend on nothing they should not depend on.
#include "xfq/experiments/quantize.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "catch.h"
#include "run_experiment.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments {

using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::StopAfterRuns;
using test::table;
using test::value;

namespace {

/// The arms alone, unless the settings name parts.
Record run_arms(const Settings& settings) {
  Settings all = {{"parts", "none"}};
  all.insert(all.end(), settings.begin(), settings.end());
  return run_experiment(make_quantize(), all);
}

std::string text(const Value& value) { return std::get<std::string>(value); }

std::size_t column(const Table& table, const std::string& name) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i] == name) return i;
  }
  FAIL("no column " << name);
  return 0;
}

bool has_table(const Record& record, const std::string& name) {
  for (const Table& table : record.tables) {
    if (table.name == name) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("fewer bits cost more") {
  const Record record =
      run_arms({{"bits", "16,8,6,4,3,2"}, {"calibration", "minmax"}, {"steps", "120"}});
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
  const Record record = run_arms({{"bits", "8,16"}, {"granularity", "token"}, {"steps", "120"}});
  CHECK(value(record, "w8a8.token.kl_mean") < 1e-3);
  CHECK(value(record, "w16a16.token.kl_mean") < 1e-7);
  CHECK(value(record, "w16a16.token.same_top") > 0.999);
}

TEST_CASE("no model goes below the entropy floor") {
  const Record record = run_arms({{"steps", "200"}});
  const double floor = value(record, "entropy_floor");
  CHECK(floor > 0);
  CHECK(value(record, "fp32.nll") > floor);
  CHECK(value(record, "fp32.perplexity") ==
        Approx(std::exp(value(record, "fp32.nll"))).epsilon(0.01));
}

TEST_CASE("the arms do not depend on threads, on the cache or on the kernel") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_quantize_test_cache").string();
  std::filesystem::remove_all(folder);
  const Settings base = {{"seeds", "2"}, {"bits", "4"}, {"calibration", "mse"}};
  const auto with = [&](Settings extra) {
    extra.insert(extra.begin(), base.begin(), base.end());
    return run_arms(extra);
  };
  const Record reference = with({{"threads", "1"}});
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

TEST_CASE("the whole answer does not depend on threads or on the cache") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_quantize_test_parts").string();
  std::filesystem::remove_all(folder);
  const Settings one = {{"threads", "1"}};
  const Settings two = {{"threads", "2"}, {"cache", "true"}, {"cache_folder", folder}};
  const Record reference = run_experiment(make_quantize(), one);
  const Record fresh = run_experiment(make_quantize(), two);
  const Record cached = run_experiment(make_quantize(), two);
  CHECK(same_result(reference, fresh));
  CHECK(same_result(reference, cached));
  CHECK(cached.cost.tokens == 0);  // fine-tuned models come from the cache too
  CHECK(fresh.cost.tokens > 0);
  std::filesystem::remove_all(folder);

  // Time stands in cost alone.
  REQUIRE(reference.cost.tables.size() == 1);
  CHECK(reference.cost.tables[0].name == "speed");
  CHECK(reference.cost.tests.size() == 1);
  CHECK(reference.answer.english().find(" ms") == std::string::npos);

  // Every claim is there, judged by the tests of its part.
  std::vector<std::string> ids;
  for (const Claim& claim : reference.claims) {
    ids.push_back(claim.id);
    CHECK_FALSE(claim.tests.empty());
  }
  CHECK(ids == std::vector<std::string>{"quant.int8-sweet-spot", "quant.kl-handles-long-tails",
                                        "quant.finetuning-recovers",
                                        "quant.mixed-precision-recovers",
                                        "quant.dynamic-recovers"});
  for (const char* name : {"arms", "tensors", "sqnr", "histograms", "kl_curve", "procedure", "bits",
                           "frontier", "synthetic", "outliers", "calibration_size", "dynamic",
                           "recover", "finetune", "sensitivity", "order_curves"}) {
    INFO(name);
    CHECK_FALSE(table(reference, name).rows.empty());
  }
  // The rescaling that makes outlier channels leaves fp32 logits alone up to rounding: sums of
  // some 100 terms below 100 in float, 2^-24 each.
  CHECK(value(reference, "outliers.logit_difference") < 1e-3);
  // Among static ranges of known values none has a higher SQNR than MSE by more than a bin's width.
  CHECK(value(reference, "synthetic.normal.kl_minus_mse") < 0.05);
  // A share of the bins sums to one.
  const Table& histograms = table(reference, "histograms");
  double shares = 0;
  for (const auto& row : histograms.rows) {
    if (text(row[0]) == "weight" && text(row[1]) == text(histograms.rows[0][1])) {
      shares += std::get<double>(row[column(histograms, "share")]);
    }
  }
  CHECK(shares == Approx(1));
  // One candidate of every curve is the chosen one, and no listed one is lower.
  const Table& curve = table(reference, "kl_curve");
  const std::size_t divergence = column(curve, "divergence");
  const std::size_t chosen = column(curve, "chosen");
  std::map<std::string, std::vector<double>> all, best;
  for (const auto& row : curve.rows) {
    all[text(row[0])].push_back(std::get<double>(row[divergence]));
    if (std::get<bool>(row[chosen]))
      best[text(row[0])].push_back(std::get<double>(row[divergence]));
  }
  for (const auto& [name, values] : all) {
    INFO(name);
    REQUIRE(best[name].size() == 1);
    CHECK(best[name][0] == *std::min_element(values.begin(), values.end()));
  }
}

TEST_CASE("integer execution gives the very numbers of fake quantization") {
  for (const char* granularity : {"tensor", "channel", "token"}) {
    INFO(granularity);
    const Settings fake = {{"granularity", granularity}, {"bits", "8,4"}};
    Settings integer = fake;
    integer.push_back({"execute", "int"});
    CHECK(same_result(run_arms(fake), run_arms(integer)));
  }
  const Settings affine = {{"scheme", "affine"}};
  Settings integer = affine;
  integer.push_back({"execute", "int"});
  CHECK(same_result(run_arms(affine), run_arms(integer)));
}

TEST_CASE("parts that are not wanted are not in the record") {
  const Record none = run_arms({});
  CHECK(none.claims.empty());
  CHECK(none.tables.size() == 2);
  CHECK(none.cost.tables.empty());
  const Record bits = run_arms({{"parts", "bits"}});
  CHECK(has_table(bits, "bits"));
  CHECK_FALSE(has_table(bits, "recover"));
  REQUIRE(bits.claims.size() == 1);
  CHECK(bits.claims[0].id == "quant.int8-sweet-spot");
  const Record layers = run_arms({{"per_layer", "true"}, {"bits", "2"}, {"calibration", "mse"}});
  // One layer has four products, and there is the head; two seeds.
  CHECK(table(layers, "per_layer").rows.size() == 10);
}

TEST_CASE("recovery is measured by the techniques and at the widths that are asked for") {
  const Record record = run_arms({{"parts", "recover"},
                                  {"bits", "5"},
                                  {"recover", "gptq,qat"},
                                  {"recover_bits", "2"},
                                  {"calibration", "mse"}});
  std::set<std::string> rows;
  for (const auto& row : table(record, "recover").rows) {
    rows.insert(to_text(row[0]) + " " + text(row[1]));
  }
  CHECK(rows == std::set<std::string>{"5 gptq", "5 rtn", "5 weights-gptq", "5 weights-rtn",
                                      "2 gptq", "2 rtn", "2 weights-gptq", "2 weights-rtn"});
  std::set<std::string> widths;
  for (const auto& row : table(record, "finetune").rows) widths.insert(to_text(row[0]));
  CHECK(widths == std::set<std::string>{"2", "5", "32"});
  // Half a dozen updates through the rounding already repair a model whose weights have 3 values.
  CHECK(value(record, "recover.2.qat.delta_nll") < value(record, "recover.2.rtn.delta_nll"));
}

TEST_CASE("every combination of options names its arms") {
  const auto arms_of = [](const Settings& settings) {
    const Record record = run_arms(settings);
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
  CHECK(arms_of({{"number_format", "nf4,int"}, {"weights_only", "true"}}) ==
        std::vector<std::string>{"nf4", "w8"});
  CHECK(arms_of({{"number_format", "fp8-e4m3"}, {"calibration", "mse"}}) ==
        std::vector<std::string>{"fp8-e4m3.mse"});
  CHECK(arms_of({{"number_format", "mxfp4"}, {"granularity", "group:32"}}) ==
        std::vector<std::string>{"mxfp4.group:32"});
}

TEST_CASE("combinations that do not exist are refused with a reason before work begins") {
  const auto refusal = [](const Settings& settings) {
    try {
      run_arms(settings);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  const auto mentions = [&](const Settings& settings, const std::string& word) {
    const std::string reason = refusal(settings);
    INFO(reason);
    return reason.find(word) != std::string::npos;
  };
  CHECK(mentions({{"bits", "8,8"}}, "asked for twice"));
  CHECK(mentions({{"calibration", "mse,mse"}}, "asked for twice"));
  CHECK(mentions({{"parts", "bits,bits"}}, "--parts"));
  CHECK(mentions({{"parts", "none,bits"}}, "--parts"));
  CHECK(mentions({{"recover", "qat,qat"}}, "--recover"));
  CHECK(mentions({{"number_format", "nf4"}, {"scheme", "affine"}}, "--scheme"));
  CHECK(mentions({{"number_format", "mxfp4"}}, "group:32"));
  CHECK(mentions({{"execute", "int"}, {"weights_only", "true"}}, "--execute int"));
  CHECK(mentions({{"execute", "int"}, {"bits", "16"}}, "--execute int"));
  CHECK(mentions({{"execute", "int"}, {"granularity", "group:8"}}, "--execute int"));
  CHECK(mentions({{"execute", "int"}, {"number_format", "fp8-e4m3"}}, "--execute int"));
  CHECK(mentions({{"parts", "frontier"}, {"widths", "32"}}, "--widths"));  // smoke has --dim 32
  CHECK(mentions({{"parts", "frontier"}, {"widths", "15"}}, "--widths"));
}

TEST_CASE("leaving the head out keeps it in fp32") {
  const Settings without = {{"quantize_head", "false"}, {"weights_only", "true"}};
  const Record head = run_arms({{"weights_only", "true"}});
  const Record no_head = run_arms(without);
  CHECK(value(no_head, "w8.bytes") > value(head, "w8.bytes"));
  for (const auto& row : table(no_head, "tensors").rows) {
    CHECK(std::get<std::string>(row[3]) != "wte");
  }
}

namespace {

/// Asks to stop once `runs` jobs have finished, or at once.
}  // namespace

TEST_CASE("an interrupted run keeps what has finished and says so") {
  // Three trainings, then the arms of the first seed.
  StopAfterRuns after_one(4);
  const Record record = run_experiment(
      make_quantize(), {{"seeds", "3"}, {"threads", "1"}, {"parts", "none"}}, after_one);
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
    CHECK(error.hint() ==
          "run the same command again, without --no-cache so that finished models are kept");
  }
}

TEST_CASE("training that diverges is an error, not a number") {
  try {
    run_experiment(make_quantize(), {{"parts", "none"},
                                     {"lr", "100"},
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
  const Settings one = {{"parts", "dynamic,recover"},
                        {"recover", "qat"},
                        {"seeds", "1"},
                        {"cache_folder", folder.string()}};
  Settings cached = one;
  cached.push_back({"cache", "true"});
  cached.push_back({"parts", "none"});
  run_experiment(make_quantize(), cached);  // leaves one model
  const Record trained = run_experiment(make_quantize(), one);
  std::string checkpoint;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") checkpoint = entry.path().string();
  }
  REQUIRE_FALSE(checkpoint.empty());
  // Sizes come from the file, whatever the options say.
  Settings other_sizes = one;
  for (const auto& setting :
       Settings{{"model", checkpoint}, {"layers", "7"}, {"dim", "128"}, {"seeds", "5"}}) {
    other_sizes.push_back(setting);
  }
  const Record loaded = run_experiment(make_quantize(), other_sizes);
  CHECK(same_result(trained, loaded));
  CHECK(loaded.cost.tokens < trained.cost.tokens);  // fine-tuning only
  // One width makes no frontier: said, and left out.
  const Record alone =
      run_experiment(make_quantize(), {{"model", checkpoint}, {"parts", "frontier"}});
  CHECK_FALSE(has_table(alone, "frontier"));
  CHECK(std::any_of(alone.warnings.begin(), alone.warnings.end(),
                    [](const Warning& warning) { return warning.code == "no_frontier"; }));

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
        {{"parts", "none"}, {"corpus", path}, {"tokenizer", tokenizer}, {"context", "16"}});
    CHECK(record.data.at(0).name == "xfq_quantize_test_corpus.txt");
    CHECK(value(record, "fp32.bits_per_byte") > 0);
    CHECK(value(record, "w8a8.kl.kl_mean") > 0);
  }
  std::filesystem::remove(path);
}

}  // namespace xfq::experiments

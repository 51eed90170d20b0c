// What no single option can see.
#include "xfq/experiments/common_options.h"

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::experiments {

namespace {

std::string refusal(const CommonOptions& options) {
  try {
    options.check();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("options that contradict each other are refused by name") {
  CommonOptions options;
  CHECK(refusal(options).empty());
  options.heads = 5;
  CHECK(refusal(options) == "--heads: got 5, expected a divisor of --dim 64");
  options = {};
  options.warmup = options.steps;
  CHECK(refusal(options) == "--warmup: got 600, expected fewer than --steps 600");
  options = {};
  options.min_lr = 1;
  CHECK(refusal(options) == "--min-lr: got 1, expected at most --lr 0.003");
  options = {};
  options.kernel = "avx1024";
  CHECK(refusal(options).find("avx1024") != std::string::npos);
}

TEST_CASE("every option stands once, with a help line and a group") {
  CommonOptions options;
  OptionTable table;
  options.describe_run(table);
  options.describe_data(table);
  options.describe_model(table);
  options.describe_training(table);
  for (const Option& option : table.options()) {
    INFO(option.key);
    CHECK(!option.help.empty());
    CHECK(option.help.back() != '.');
    CHECK(!option.group.empty());
    // The default passes the option's own check.
    CHECK_NOTHROW(option.parse(to_text(option.value())));
  }
  for (const char* key : {"threads", "kernel", "cache", "cache_folder"}) {
    REQUIRE(table.find(key) != nullptr);
    CHECK(table.find(key)->runtime);
  }
}

}  // namespace xfq::experiments

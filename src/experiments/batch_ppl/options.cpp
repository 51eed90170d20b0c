#include "options.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "../lists.h"
#include "xfq/core/error.h"
#include "xfq/train/optimizer.h"

namespace xfq::experiments::batch_ppl {

namespace {

// Sequences of a unit of the gradient sample; noise_sequences is a multiple.
constexpr std::int64_t kUnit = 4;

}  // namespace

Options::Options() {
  layers = 1;
  dim = 32;
  heads = 2;
  init = 0.2;
  steps = 32;
  lr = 0.02;
  min_lr = 0;
  warmup = 4;
  weight_decay = 0.01;
}

void Options::describe(OptionTable& table) {
  table.group("Batch size");
  table.integers("batch_sizes", batch_sizes, "Sequences per update, three or more", {1, 1'000'000});
  table.choices("budget", budget, "What every batch size gets the same of",
                {"steps", "tokens", "time"});
  table.choices("lr_rule", lr_rule,
                "Learning rate over batch sizes, one per arm: searched at each, or from the "
                "rate at --batch-size",
                {"tuned", "fixed", "sqrt", "linear"});
  table.choices("beta2_rule", beta2_rule,
                "beta2 over batch sizes, one per arm or one for all: the same, or the same "
                "half-life in tokens",
                {"fixed", "tokens"});
  table.integer("steps", steps, "Updates of the budget `steps`", {1, 100'000'000});
  table.integer("sequences", sequences,
                "Sequences of the budget `tokens`; `time` is what they cost at --batch-size",
                {1, 1'000'000'000});
  table.real("update_cost", update_cost,
             "Cost of an update beside its gradient, in gradients of one sequence", {0, 1e6});
  table.real("target_loss", target_loss,
             "Loss in nats per token to be reached; 0: one that every batch size reaches",
             {0, 100});
  table.integer("noise_pairs", noise_pairs, "Pairs of the two-batch estimate of the noise scale",
                {2, 1'000'000});
  table.integer("noise_sequences", noise_sequences,
                "Sequences with a gradient of their own at each noise measurement",
                {16 * kUnit, 1'000'000});
  table.integer("hessian_products", hessian_products,
                "Most Hessian-vector products for one sharpness; 0: no sharpness", {0, 100'000});
  table.integer("evaluation_rows", evaluation_rows, "Rows of each part that losses are measured on",
                {1, 1'000'000});
  describe_data(table);
  describe_model(table);
  table.group("Training");
  table.choice("optimizer", optimizer, "How a gradient becomes an update",
               train::OptimizerConfig::kinds());
  table.integer("batch_size", batch_size, "Reference batch size: --lr and --beta2 belong to it",
                {1, 1'000'000});
  table.real("lr", lr, "Learning rate at --batch-size; where the search of `tuned` begins",
             {0, 100, true});
  table.integer("warmup", warmup, "Updates of linear warm-up; then the rate stays",
                {0, 100'000'000});
  table.real("average", average,
             "Losses are of weights averaged over about this share of the run; 0: the last ones",
             {0, 0.5});
  table.real("weight_decay", weight_decay, "Decoupled decay of matrices", {0, 10});
  table.real("beta1", beta1, "Adam's decay of the mean gradient", {0, 1, false, true});
  table.real("beta2", beta2, "Adam's decay of the squared gradient", {0, 1, false, true});
  table.real("momentum", momentum, "Momentum of sgd", {0, 1, false, true});
  table.real("clip", clip, "Largest gradient norm; 0: no clipping", {0, 1e9});
  describe_run(table);
}

void Options::apply(Profile profile) {
  switch (profile) {
    case Profile::smoke:
      batch_sizes = {1, 4, 16, 64};
      seeds = 2;
      documents = 300;
      dim = 16;
      steps = 8;
      batch_size = 16;
      sequences = 256;
      noise_pairs = 10;
      noise_sequences = 128;
      evaluation_rows = 16;
      hessian_products = 3;
      break;
    case Profile::quick:
      break;
    case Profile::full:
      batch_sizes = {1, 2, 4, 8, 16, 32, 64, 128, 256};
      lr_rule = {"tuned", "tuned", "fixed", "sqrt", "linear"};
      beta2_rule = {"tokens", "fixed", "fixed", "tokens", "tokens"};
      seeds = 3;
      documents = 20000;
      layers = 2;
      dim = 48;
      heads = 4;
      steps = 64;
      sequences = 6144;
      evaluation_rows = 200;
      hessian_products = 30;
      break;
  }
}

void Options::check() const {
  CommonOptions::check();
  refuse_repeats("--batch-sizes", batch_sizes);
  if (batch_sizes.size() < 3) {
    throw_usage(fmt::format("--batch-sizes: got {}, expected three or more", batch_sizes.size()),
                "a dependence on the batch size needs three points, for example 4,32,256");
  }
  if (std::find(batch_sizes.begin(), batch_sizes.end(), batch_size) == batch_sizes.end()) {
    throw_usage(
        fmt::format("--batch-sizes: the reference --batch-size {} is not among them", batch_size),
        "add it, or name another --batch-size");
  }
  refuse_repeats("--budget", budget);
  if (lr_rule.size() != beta2_rule.size() && lr_rule.size() != 1 && beta2_rule.size() != 1) {
    throw_usage(fmt::format("--lr-rule and --beta2-rule: got {} and {} values, expected as many "
                            "of one as of the other",
                            lr_rule.size(), beta2_rule.size()),
                "an arm takes one of each; a single value stands for all arms");
  }
  std::set<std::string> ids;
  for (const Arm& arm : arms()) {
    if (!ids.insert(arm.id()).second) {
      throw_usage(fmt::format("--lr-rule and --beta2-rule: arm {} is asked for twice", arm.id()),
                  "name every arm once");
    }
  }
  if (sequences < largest_batch()) {
    throw_usage(fmt::format("--sequences: got {}, expected at least the largest batch, {}",
                            sequences, largest_batch()),
                "the budget must allow one update");
  }
  if (noise_sequences % (2 * kUnit) != 0) {
    throw_usage(fmt::format("--noise-sequences: got {}, expected a multiple of {}", noise_sequences,
                            2 * kUnit));
  }
  if (momentum > 0 && optimizer != "sgd") {
    throw_usage(
        fmt::format("--momentum: got {} with --optimizer {}, expected 0", momentum, optimizer),
        "momentum belongs to sgd; adamw has --beta1");
  }
}

void Options::check(const corpus::LanguageData& data) const {
  const auto rows = static_cast<std::int64_t>(data.split(corpus::SplitName::train).rows.size());
  if (largest_batch() > rows) {
    throw_usage(fmt::format("--batch-sizes: got {}, expected at most the {} rows of the training "
                            "part: a larger batch only repeats them",
                            largest_batch(), rows),
                corpus == "stories" ? "use more --documents" : "use a longer text");
  }
  for (const auto split : {corpus::SplitName::validation, corpus::SplitName::test}) {
    if (evaluation_rows > data.evaluation_rows(split)) {
      throw_usage(fmt::format("--evaluation-rows: got {}, expected at most the {} rows of the {} "
                              "part",
                              evaluation_rows, data.evaluation_rows(split),
                              split == corpus::SplitName::test ? "test" : "validation"),
                  "use a longer text or a larger --validation-share");
    }
  }
}

corpus::LanguageOptions Options::language_options() const {
  corpus::LanguageOptions options = CommonOptions::language_options();
  options.validation_documents = options.test_documents = evaluation_rows;
  options.shares.test = options.shares.validation;
  return options;
}

std::vector<Arm> Options::arms() const {
  std::vector<Arm> arms;
  for (std::size_t i = 0; i < std::max(lr_rule.size(), beta2_rule.size()); ++i) {
    arms.push_back(
        {lr_rule[lr_rule.size() == 1 ? 0 : i], beta2_rule[beta2_rule.size() == 1 ? 0 : i]});
  }
  return arms;
}

bool Options::has_budget(const std::string& name) const {
  return std::find(budget.begin(), budget.end(), name) != budget.end();
}

std::int64_t Options::largest_batch() const {
  return *std::max_element(batch_sizes.begin(), batch_sizes.end());
}

}  // namespace xfq::experiments::batch_ppl

#include "options.h"

#include <fmt/core.h>

#include <algorithm>

#include "../lists.h"
#include "constructions.h"
#include "targets.h"
#include "tasks.h"
#include "xfq/core/error.h"

namespace xfq::experiments::approx {

namespace {

constexpr const char* kTargetForms =
    "sine|runge|step|sawtooth:K|weierstrass|square|product|ball:D|barron:D|single-index:D|xor|"
    "spiral,...";

}  // namespace

void Options::describe(OptionTable& table) {
  table.group("Parts");
  table.choices("part", part, "Parts of the question to run, one or more",
                {"nonlinearity", "universal", "sequence", "parallel", "features"});
  table.group("Perceptrons");
  table.texts("target", target, "Functions to approximate in part universal, one or more",
              kTargetForms, [](const std::string& text) { make_target(text, 0); });
  table.text("target_file", target_file,
             "One more target: a CSV file, inputs first and the output last in every row", "FILE");
  table.choices("activation", activation,
                "Activations compared in part nonlinearity; the first one is used elsewhere",
                {"relu", "tanh", "gelu", "sine", "sigmoid"});
  table.integers("widths", widths, "Widths of one-layer networks, three or more", {1, 4096});
  table.integers("depths", depths, "Hidden layers at the parameters of the widest of --widths",
                 {1, 16});
  table.choices("construction", construction, "Networks with written-down weights to check",
                construction_names());
  table.integers("sizes", sizes, "Training sets for end-to-end and other training, in examples",
                 {8, 1'000'000});
  table.integer("samples", samples, "Training examples of every other perceptron", {64, 1'000'000});
  table.integer("steps", steps, "Updates of a perceptron", {10, 100'000'000});
  table.integer("batch_size", batch_size, "Examples per update", {1, 1'000'000});
  table.real("lr", lr, "Learning rate of perceptrons after warm-up", {0, 100, true});
  table.group("Transformers");
  table.choices("task", task, "Sequence tasks, one or more", task_names());
  table.integers("layers", layers, "Transformer blocks, one or more numbers", {1, 64});
  table.integers("dim", dim, "Widths of the residual stream, one or more", {1, 4096});
  table.integers("heads", heads, "Attention heads, one or more numbers; each divides each of --dim",
                 {1, 256});
  table.integer("length", length, "Tokens of a sequence", {3, 512});
  table.integer("symbols", symbols, "Values of a token", {2, 1000});
  table.integer("sequence_steps", sequence_steps, "Updates of a Transformer", {10, 100'000'000});
  table.integer("sequence_batch_size", sequence_batch_size, "Sequences per update", {1, 100'000});
  table.real("sequence_lr", sequence_lr, "Learning rate of Transformers after warm-up",
             {0, 100, true});
  table.group("Threads");
  table.integers("workers", workers,
                 "Threads that part parallel shares a batch out to, one or more", {1, 256});
  table.integer("repeats", repeats, "Timings of every number of threads", {2, 10'000}).runtime =
      true;
  common.describe_run(table);
}

void Options::apply(Profile profile) {
  switch (profile) {
    case Profile::smoke:
      common.seeds = 2;
      target = {"runge"};
      activation = {"relu", "sine"};
      widths = {4, 8, 16};
      depths = {1, 2};
      sizes = {64, 256};
      samples = 512;
      steps = 100;
      task = {"reverse", "recall", "count"};
      layers = {1};
      dim = {16};
      sequence_steps = 30;
      workers = {1, 2};
      repeats = 3;
      break;
    case Profile::quick:
      common.seeds = 5;
      break;
    case Profile::full:
      common.seeds = 6;
      target = {"sine",    "runge",  "step",     "sawtooth:4",      "weierstrass", "square",
                "product", "ball:2", "barron:6", "single-index:10", "xor",         "spiral"};
      widths = {4, 8, 16, 32, 64, 128};
      depths = {1, 2, 3, 4, 6};
      sizes = {64, 512, 4096};
      samples = 8192;
      steps = 6000;
      layers = {1, 2, 3};
      dim = {16, 32};
      heads = {1, 4};
      sequence_steps = 2000;
      repeats = 25;
      break;
  }
}

void Options::check() const {
  common.check();
  refuse_repeats("--part", part);
  refuse_repeats("--activation", activation);
  refuse_repeats("--construction", construction);
  refuse_repeats("--task", task);
  refuse_repeats("--widths", widths);
  refuse_repeats("--depths", depths);
  refuse_repeats("--sizes", sizes);
  refuse_repeats("--layers", layers);
  refuse_repeats("--dim", dim);
  refuse_repeats("--heads", heads);
  refuse_repeats("--workers", workers);
  refuse_repeats("--target", target);
  if (target.empty() && target_file.empty()) {
    throw_usage("--target: got none, expected one or more, or a --target-file");
  }
  if (widths.size() < 3) {
    throw_usage(fmt::format("--widths: got {}, expected three or more", widths.size()),
                "a slope over width needs them");
  }
  for (const std::int64_t d : dim) {
    for (const std::int64_t h : heads) {
      if (d % h != 0) {
        throw_usage(
            fmt::format("--heads: got {}, expected a divisor of every --dim, {} is none", h, d));
      }
    }
  }
  const bool recall = std::find(task.begin(), task.end(), "recall") != task.end();
  if (wants("sequence") && recall && (length - 1) / 2 > symbols) {
    throw_usage(fmt::format("--length: got {}, expected at most {} for recall with --symbols {}",
                            length, 2 * symbols + 2, symbols),
                "every key stands once; use more --symbols");
  }
}

bool Options::wants(const std::string& name) const {
  return std::find(part.begin(), part.end(), name) != part.end();
}

}  // namespace xfq::experiments::approx

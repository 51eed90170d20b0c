#include "options.h"

#include <fmt/core.h>

#include <algorithm>

#include "../lists.h"
#include "xfq/core/error.h"
#include "xfq/importance/ablation.h"
#include "xfq/importance/conductance.h"

namespace xfq::experiments::neuron_importance {

void Options::describe(OptionTable& table) {
  table.group("Units and scores");
  table.choice("model", model, "A language model, or a masked-language model on sentence pairs",
               {"decoder", "encoder"});
  table.choice("unit", unit,
               "What is ranked: feed-forward neurons, attention heads, or channels "
               "of the residual stream",
               importance::unit_kind_names());
  table.choices("score", score, "Scores to compute", importance::score_names());
  table.integer("tokens", tokens, "Tokens of training text that scores are computed on",
                {2, 100'000'000});
  table.integer("bins", bins, "Bins of the entropy scores", {2, 4096});
  table.choices(
      "normalise", normalise,
      "Orders across layers: by scores as they are, or divided by their layer's norm; the "
      "first one for --focus",
      {"none", "layer"});
  table.integer("conductance_nodes", conductance_nodes,
                "Points on the path of the conductance to begin with; doubled until it is complete",
                {1, importance::kMostNodes});
  table.integer("conductance_sequences", conductance_sequences,
                "Sequences that the conductance is computed on", {2, 1'000'000});
  table.integer("shapley_orders", shapley_orders, "Random orders behind a Shapley value",
                {2, 1'000'000});
  table.integer("shapley_sequences", shapley_sequences,
                "Sequences that Shapley values are computed on", {1, 1'000'000});

  table.group("Ablation");
  table.choices("oracle", oracle, "What stands in the place of an ablated unit's values",
                importance::replacement_names());
  table.choice("oracle_measure", oracle_measure,
               "Damage by which units are ranked: loss of the true token, or token KL",
               importance::measure_names());
  table.integer("oracle_tokens", oracle_tokens,
                "Tokens of validation text that units are ablated on", {2, 100'000'000});
  table.integer("bootstrap", bootstrap, "Resamples behind an interval over units", {20, 1'000'000});
  table.integer("top", top,
                "Units in the tables of the most and the least important ones; half of all at most",
                {1, 10'000});

  table.group("Pruning");
  table.reals("prune_fractions", prune_fractions, "Shares of the units to remove, ascending",
              {0, 1, true, false});
  table.integer("prune_tokens", prune_tokens, "Tokens of validation text behind a pruning curve",
                {2, 100'000'000});
  table.integer("random_orders", random_orders, "Random orders that a score has to beat",
                {20, 100'000});
  table.flag("iterative", iterative, "Prune by --focus once more, scoring anew at every share");
  table.choices("focus", focus,
                "Scores, among --score, that are also pruned iteratively and "
                "fine-tuned",
                importance::score_names());
  table.integer("finetune_steps", finetune_steps, "Updates after pruning; 0: no fine-tuning",
                {0, 100'000'000});
  table.real("finetune_fraction", finetune_fraction, "Share removed before fine-tuning",
             {0, 1, true, false});

  describe_data(table);
  describe_model(table);
  describe_training(table);
  table.real("mask_rate", mask_rate, "Share of the words hidden from an encoder",
             {0, 1, true, true});
  describe_run(table);
}

void Options::apply(Profile profile) {
  switch (profile) {
    case Profile::smoke:
      seeds = 2;
      documents = 200;
      layers = 2;
      dim = 16;
      heads = 2;
      steps = 30;
      warmup = 5;
      batch_size = 8;
      tokens = 256;
      conductance_sequences = 2;
      shapley_sequences = 1;
      oracle = importance::replacement_names();
      oracle_tokens = 128;
      bootstrap = 20;
      top = 3;
      prune_fractions = {0.3, 0.6};
      prune_tokens = 128;
      finetune_steps = 5;
      break;
    case Profile::quick:
      // Small batches learn more from a token: the same loss for half of the time.
      steps = 800;
      batch_size = 8;
      break;
    case Profile::full:
      seeds = 5;
      documents = 20000;
      layers = 3;
      steps = 2000;
      batch_size = 8;
      warmup = 100;
      tokens = 16384;
      conductance_sequences = 32;
      shapley_orders = 4;
      shapley_sequences = 4;
      oracle = importance::replacement_names();
      oracle_tokens = 4096;
      bootstrap = 1000;
      prune_fractions = {0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
      prune_tokens = 4096;
      random_orders = 50;
      finetune_steps = 200;
      break;
  }
}

void Options::check() const {
  CommonOptions::check();
  refuse_repeats("--score", score);
  refuse_repeats("--oracle", oracle);
  refuse_repeats("--focus", focus);
  refuse_repeats("--normalise", normalise);
  for (std::size_t i = 1; i < prune_fractions.size(); ++i) {
    if (prune_fractions[i] > prune_fractions[i - 1]) continue;
    throw_usage(fmt::format("--prune-fractions: got {} after {}, expected ascending shares",
                            prune_fractions[i], prune_fractions[i - 1]));
  }
  if (!encoder()) return;
  if (sequence != "auto") {
    throw_usage("--sequence with --model encoder: its rows are sentence pairs",
                "leave --sequence out");
  }
  if (!bias) throw_usage("--no-bias with --model encoder: its layers have biases", "leave it out");
}

std::vector<std::string> Options::focused() const {
  std::vector<std::string> names;
  for (const std::string& name : focus) {
    if (std::find(score.begin(), score.end(), name) != score.end()) names.push_back(name);
  }
  return names;
}

importance::ScoreOptions Options::score_options(std::uint64_t run_seed) const {
  importance::ScoreOptions options;
  options.names = score;
  options.bins = bins;
  options.conductance_nodes = conductance_nodes;
  options.conductance_sequences = conductance_sequences;
  options.shapley_orders = shapley_orders;
  options.shapley_sequences = shapley_sequences;
  options.seed = run_seed;
  return options;
}

corpus::PairOptions Options::pair_options() const {
  corpus::PairOptions options;
  options.corpus = corpus;
  options.tokenizer = tokenizer;
  options.context = context;
  options.vocab = vocab;
  options.documents = documents;
  options.shares.validation = validation_share;
  return options;
}

}  // namespace xfq::experiments::neuron_importance

#include "options.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "../lists.h"
#include "xfq/core/error.h"

namespace xfq::experiments::nsp {

using corpus::Relation;

namespace {

Relation relation_of(const std::string& negatives) {
  if (negatives == "other-document") return Relation::random;
  return negatives == "same-document" ? Relation::distant : Relation::swapped;
}

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

Options::Options() {
  steps = 500;
  warmup = 50;
  lr = 2e-3;
  min_lr = 2e-4;
  schedule = "linear";
  weight_decay = 0.01;
}

void Options::describe(OptionTable& table) {
  table.group("Sentence pairs");
  table.choices("objective", objective,
                "Sentence tasks beside the masked-language loss (MLM), one arm or more each",
                {"none", "nsp", "sop", "three-way", "distance"});
  table.choices("input_format", input_format,
                "Rows of objective none: the pairs that nsp sees, or text that runs on",
                {"pair", "contiguous"});
  table.choices("negatives", negatives,
                "Second segments of nsp's negatives; the first is the base, others are arms",
                {"other-document", "same-document", "reversed"});
  table.reals("negative_share", negative_share,
              "Share of negatives of nsp; the first is the base, others are arms",
              {0, 1, true, true});
  table.choices("remedy", remedy,
                "What is done about a share of negatives other than 0.5; nothing always runs too",
                {"none", "weights", "resample", "threshold"});
  table.reals("loss_weight", loss_weight,
              "Weight of the sentence loss; the first is the base, others are arms",
              {0, 1000, true});
  table.choices("match", match,
                "What a random segment shares with the true one: nothing, its position, or its "
                "opening too (stories in chains); the first is the base, others are arms",
                {"any", "position", "opening"});
  table.choice("contrast", contrast,
               "A contrast to stories: nsp on scripted ones, by what its negatives match",
               {"none", "any", "position"});
  table.choices("probe", probe, "How what a model knows is asked: of its frozen states, or tuned",
                {"frozen", "finetune"});
  table.integer("probe_pairs", probe_pairs, "Labelled pairs that a probe learns from",
                {10, 10'000'000});
  table.integer("finetune_steps", finetune_steps, "Updates of a fine-tuned probe",
                {1, 100'000'000});
  table.integer("evaluation_pairs", evaluation_pairs,
                "Validation pairs of each kind, half of them true; even", {20, 10'000'000});
  table.integer("bag_steps", bag_steps, "Updates of the bag-of-words classifier", {1, 100'000'000});

  table.group("Data");
  table.text("corpus", corpus, "The generated `stories`, or a UTF-8 text file", "stories|FILE");
  table.text("tokenizer", tokenizer, "auto: word", "auto|word|char|byte|bpe:N",
             [](const std::string& text) {
               if (text != "auto") corpus::check_tokenizer_option(text);
             });
  table.text("shifted_corpus", shifted_corpus,
             "Other text for a test out of domain; auto: stories with other tables, none for files",
             "auto|none|FILE");
  table.choice("order", order, "What carries the order of stories: relations, words, or both",
               {"chain", "script", "mixture"});
  // The odds of "next" for two segments on the same one of K topics are K (1 - s) / s at a
  // share of negatives s. At 0.9 they are 8 : 9 with all eight topics, and noise decides.
  table.integer("topics", topics, "Only the first so many topics of stories; 0: all", {0, 1000});
  table.integer("documents", documents, "Training stories to generate", {2, 10'000'000});
  table.real("validation_share", validation_share, "Part of a file kept for validation",
             {0, 1, true, true});
  table.integer("segment_sentences", segment_sentences, "Sentences in a segment", {1, 1000});

  table.group("Model");
  table.integer("layers", layers, "Transformer blocks", {1, 1000});
  table.integer("dim", dim, "Width of the residual stream", {1, 65536});
  table.integer("heads", heads, "Attention heads; divides dim", {1, 1024});
  table.integer("context", context, "Longest row in tokens", {5, 65536});
  table.integer("vocab", vocab, "Most types of the word tokenizer", {8, 10'000'000});
  table.real("init", init, "Standard deviation of initial weights", {0, 10, true});
  table.real("embedding_init", embedding_init, "Standard deviation of the initial token table",
             {0, 10, true});

  describe_training(table);
  table.integer("mlm_steps", mlm_steps,
                "Updates with MLM alone on text that runs on, shared by all arms, before `steps`",
                {0, 100'000'000});
  table.real("mlm_lr", mlm_lr, "Learning rate of these", {0, 100, true});
  table.real("mask_rate", mask_rate, "Share of words that MLM asks for", {0, 1, true, true});
  table.reals("mask_split", mask_split,
              "Of these: shares that read <mask>, a random word, themselves; BERT: 0.8,0.1,0.1",
              {0, 1});
  describe_run(table);
}

void Options::apply(Profile profile) {
  switch (profile) {
    case Profile::smoke:
      seeds = 2;
      documents = 300;
      layers = 1;
      dim = 16;
      heads = 2;
      mlm_steps = 20;
      steps = 20;
      warmup = 5;
      batch_size = 16;
      probe = {"frozen", "finetune"};
      probe_pairs = 100;
      finetune_steps = 10;
      evaluation_pairs = 100;
      bag_steps = 20;
      break;
    case Profile::quick:
      break;
    case Profile::full:
      seeds = 5;
      documents = 20000;
      objective = {"none", "nsp", "sop", "three-way", "distance"};
      negatives = {"other-document", "same-document"};
      match = {"opening", "position"};
      negative_share = {0.5, 0.75, 0.9};
      remedy = {"none", "weights", "resample", "threshold"};
      loss_weight = {2, 0.5, 4};
      probe = {"frozen", "finetune"};
      probe_pairs = 2000;
      evaluation_pairs = 2000;
      mlm_steps = 1000;
      steps = 1500;
      break;
  }
}

void Options::check() const {
  CommonOptions::check();
  refuse_repeats("--objective", objective);
  refuse_repeats("--input-format", input_format);
  refuse_repeats("--negatives", negatives);
  refuse_repeats("--negative-share", negative_share);
  refuse_repeats("--match", match);
  refuse_repeats("--remedy", remedy);
  refuse_repeats("--loss-weight", loss_weight);
  refuse_repeats("--probe", probe);
  if (input_format == std::vector<std::string>{"contiguous"} &&
      objective != std::vector<std::string>{"none"}) {
    throw_usage(fmt::format("--input-format: got contiguous with --objective {}, expected pair: "
                            "a sentence task needs pairs that do not run on",
                            objective[0] == "none" ? objective[1] : objective[0]),
                "use --objective none, or --input-format pair,contiguous");
  }
  double split = 0;
  for (const double share : mask_split) split += share;
  if (mask_split.size() != 3 || std::abs(split - 1) > 1e-9) {
    throw_usage(
        fmt::format("--mask-split: got {} numbers with a sum of {}, expected three with a "
                    "sum of 1",
                    mask_split.size(), split));
  }
  if (evaluation_pairs % 2 != 0) {
    throw_usage(
        fmt::format("--evaluation-pairs: got {}, expected an even number", evaluation_pairs));
  }
}

bool Options::has_objective(const std::string& name) const { return contains(objective, name); }

bool Options::has_remedy(const std::string& name) const { return contains(remedy, name); }

corpus::PairOptions Options::pair_options() const {
  corpus::PairOptions pairs;
  pairs.corpus = corpus;
  pairs.tokenizer = tokenizer;
  pairs.context = context;
  pairs.vocab = vocab;
  pairs.segment_sentences = segment_sentences;
  pairs.stories.order = order;
  pairs.stories.topics = topics;
  pairs.documents = documents;
  pairs.shares.validation = validation_share;
  return pairs;
}

corpus::PairOptions Options::contrast_options() const {
  corpus::PairOptions pairs = pair_options();
  pairs.corpus = "stories";
  pairs.tokenizer = "word";
  pairs.stories.order = "script";
  pairs.stories.topics = 0;
  return pairs;
}

models::EncoderConfig Options::encoder_config(const corpus::PairData& data,
                                              std::int64_t classes) const {
  models::EncoderConfig config;
  config.layers = layers;
  config.dim = dim;
  config.heads = heads;
  config.context = data.row_length();
  config.vocab = data.vocabulary_size();
  config.classes = classes;
  config.init = init;
  config.embedding_init = embedding_init;
  return config;
}

// ------------------------------------------------------------------------ arms

std::vector<Arm> arms(const Options& options) {
  const corpus::Match match = corpus::match_of(options.match[0]);
  const double share = options.negative_share[0];
  const auto nsp_task = [&](const std::string& negatives, double negative_share) {
    corpus::PairTask task;
    task.classes = {Relation::next, relation_of(negatives)};
    task.shares = {1 - negative_share, negative_share};
    task.match = match;
    return task;
  };
  const auto task_of = [&](const std::string& objective) {
    corpus::PairTask task;
    task.match = match;
    if (objective == "sop") {
      task.classes = {Relation::next, Relation::swapped};
      task.shares = {0.5, 0.5};
    } else if (objective == "three-way") {
      task.classes = {Relation::next, Relation::swapped, Relation::random};
      task.shares = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    } else if (objective == "distance") {
      task.classes = {Relation::next, Relation::distant, Relation::random};
      task.shares = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    } else {
      task = nsp_task(options.negatives[0], share);
    }
    return task;
  };

  std::vector<Arm> arms;
  const auto add = [&](std::string id, const std::string& objective, double weight) -> Arm& {
    Arm arm;
    arm.id = std::move(id);
    arm.objective = objective;
    arm.input_format = "pair";
    arm.loss_weight = weight;
    arm.task = task_of(objective);
    arm.negative_share = 1 - arm.task.shares[0];
    arms.push_back(arm);
    return arms.back();
  };

  for (const std::string& objective : options.objective) {
    if (objective != "none") {
      add(objective, objective, options.loss_weight[0]);
      continue;
    }
    for (const std::string& format : options.input_format) {
      Arm& arm = add("none." + format, objective, 0);
      arm.input_format = format;
      if (format == "contiguous") {
        arm.task = corpus::PairTask{};
        arm.negative_share = 0;
      }
    }
  }
  for (const std::string& objective : options.objective) {
    if (objective != "nsp" && objective != "sop") continue;
    for (std::size_t i = 1; i < options.loss_weight.size(); ++i) {
      add(fmt::format("{}.weight{}", objective, options.loss_weight[i]), objective,
          options.loss_weight[i]);
    }
  }
  if (!options.has_objective("nsp")) return arms;
  for (std::size_t i = 1; i < options.negatives.size(); ++i) {
    add("nsp." + options.negatives[i], "nsp", options.loss_weight[0]).task =
        nsp_task(options.negatives[i], share);
  }
  for (std::size_t i = 1; i < options.match.size(); ++i) {
    add("nsp.match-" + options.match[i], "nsp", options.loss_weight[0]).task.match =
        corpus::match_of(options.match[i]);
  }
  for (const double imbalance : options.negative_share) {
    const auto add_share = [&](const std::string& remedy) -> Arm& {
      const std::string suffix = remedy == "none" ? "" : "." + remedy;
      Arm& arm =
          add(fmt::format("nsp.share{}{}", imbalance, suffix), "nsp", options.loss_weight[0]);
      arm.task = nsp_task(options.negatives[0], imbalance);
      arm.negative_share = imbalance;
      arm.remedy = remedy;
      return arm;
    };
    if (imbalance != share) add_share("none");
    if (imbalance == 0.5) continue;
    if (options.has_remedy("weights")) {
      // Each class weighs as much in the loss as the other.
      add_share("weights").class_weights = {0.5 / (1 - imbalance), 0.5 / imbalance};
    }
    if (options.has_remedy("resample")) add_share("resample").task.resample = true;
  }
  if (options.contrast != "none") {
    Arm& arm = add("nsp.script-" + options.contrast, "nsp", options.loss_weight[0]);
    arm.contrast = true;
    arm.task = nsp_task("other-document", 0.5);
    arm.task.match = corpus::match_of(options.contrast);
    arm.negative_share = 0.5;
  }
  return arms;
}

// -------------------------------------------------------------------- training

namespace {

train::PairTraining base_training(const Options& options, const corpus::PairData& data,
                                  std::int64_t classes, std::int64_t index) {
  train::PairTraining training;
  training.model = options.encoder_config(data, classes);
  training.optimizer.steps = options.steps;
  training.optimizer.lr = options.lr;
  training.optimizer.min_lr = options.min_lr;
  training.optimizer.warmup = options.warmup;
  training.optimizer.schedule = options.schedule;
  training.optimizer.weight_decay = options.weight_decay;
  training.optimizer.beta1 = options.beta1;
  training.optimizer.beta2 = options.beta2;
  training.optimizer.clip = options.clip;
  training.batch_size = options.batch_size;
  training.seed = static_cast<std::uint64_t>(options.seed + index);
  training.masking = {options.mask_rate, options.mask_split[0], options.mask_split[1]};
  return training;
}

}  // namespace

train::PairTraining mlm_training(const Options& options, const corpus::PairData& data,
                                 std::int64_t index) {
  train::PairTraining training = base_training(options, data, 2, index);
  training.optimizer.steps = options.mlm_steps;
  training.optimizer.lr = options.mlm_lr;
  training.optimizer.schedule = "constant";
  training.optimizer.warmup = std::min(options.warmup, options.mlm_steps - 1);
  training.sentence_weight = 0;
  return training;
}

train::PairTraining arm_training(const Options& options, const Arm& arm,
                                 const corpus::PairData& data, std::int64_t index) {
  const auto classes =
      std::max<std::int64_t>(2, static_cast<std::int64_t>(arm.task.classes.size()));
  train::PairTraining training = base_training(options, data, classes, index);
  // Other batches than those of the shared steps.
  if (options.mlm_steps > 0) training.seed += std::uint64_t{1} << 32;
  training.task = arm.task;
  training.sentence_weight = arm.loss_weight;
  training.class_weights = arm.class_weights;
  return training;
}

}  // namespace xfq::experiments::nsp

#include "xfq/experiments/common_options.h"

#include <fmt/core.h>

#include "xfq/core/error.h"
#include "xfq/corpus/tokenizer.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments {

void CommonOptions::describe_run(OptionTable& table) {
  table.group("Run");
  table.integer("seed", seed, "First seed; run i uses seed + i", {0, std::int64_t{1} << 40});
  table.integer("seeds", seeds, "Independent runs behind every interval", {1, 1000});
  table.integer("threads", threads, "Threads for independent runs; 0: one per core", {0, 1024})
      .runtime = true;
  table
      .text("kernel", kernel, "Implementation of the arithmetic: auto, or a name",
            "auto|avx512|avx2|portable|eigen|reference|check")
      .runtime = true;
  table.flag("cache", cache, "Keep trained models for the next run").runtime = true;
  table
      .text("cache_folder", cache_folder,
            "Folder of trained models; empty: $XDG_CACHE_HOME/xfq or ~/.cache/xfq", "FOLDER")
      .runtime = true;
}

void CommonOptions::describe_data(OptionTable& table) {
  table.group("Data");
  table.text("corpus", corpus, "The generated `stories`, or a UTF-8 text file", "stories|FILE");
  table.text("tokenizer", tokenizer, "auto: word for stories, char for files",
             "auto|word|char|byte|bpe:N", [](const std::string& text) {
               if (text != "auto") corpus::check_tokenizer_option(text);
             });
  table.choice("sequence", sequence, "Training rows: whole documents or windows of running text",
               {"auto", "document", "stream"});
  table.integer("documents", documents, "Training stories to generate", {1, 10'000'000});
  table.real("validation_share", validation_share, "Part of a file kept for validation",
             {0, 1, true, true});
}

void CommonOptions::describe_model(OptionTable& table) {
  table.group("Model");
  table.integer("layers", layers, "Transformer blocks", {1, 1000});
  table.integer("dim", dim, "Width of the residual stream", {1, 65536});
  table.integer("heads", heads, "Attention heads; divides dim", {1, 1024});
  table.integer("context", context, "Longest sequence in tokens", {2, 65536});
  table.integer("vocab", vocab, "Most types of the word tokenizer", {8, 10'000'000});
  table.flag("bias", bias, "Biases in products and normalisations");
  table.real("init", init, "Standard deviation of initial weights", {0, 10, true});
  table.real("embedding_init", embedding_init, "Standard deviation of the initial token table",
             {0, 10, true});
}

void CommonOptions::describe_training(OptionTable& table) {
  table.group("Training");
  table.integer("steps", steps, "Updates", {1, 100'000'000});
  table.integer("batch_size", batch_size, "Sequences per update", {1, 1'000'000});
  table.real("lr", lr, "Learning rate after warm-up", {0, 100, true});
  table.real("min_lr", min_lr, "Learning rate at the end", {0, 100});
  table.integer("warmup", warmup, "Updates of linear warm-up", {0, 100'000'000});
  table.choice("schedule", schedule, "Learning rate over time",
               train::OptimizerConfig::schedules());
  table.real("weight_decay", weight_decay, "Decoupled decay of matrices (AdamW)", {0, 10});
  table.real("beta1", beta1, "Adam's decay of the mean gradient", {0, 1, false, true});
  table.real("beta2", beta2, "Adam's decay of the squared gradient", {0, 1, false, true});
  table.real("clip", clip, "Largest gradient norm; 0: no clipping", {0, 1e9});
}

void CommonOptions::check() const {
  kernels::select(kernel);
  if (dim % heads != 0) {
    throw_usage(fmt::format("--heads: got {}, expected a divisor of --dim {}", heads, dim));
  }
  if (warmup >= steps) {
    throw_usage(fmt::format("--warmup: got {}, expected fewer than --steps {}", warmup, steps));
  }
  if (min_lr > lr) {
    throw_usage(fmt::format("--min-lr: got {}, expected at most --lr {}", min_lr, lr));
  }
}

corpus::LanguageOptions CommonOptions::language_options() const {
  corpus::LanguageOptions options;
  options.corpus = corpus;
  options.tokenizer = tokenizer;
  options.sequence = sequence;
  options.context = context;
  options.vocab = vocab;
  options.documents = documents;
  options.shares.validation = validation_share;
  return options;
}

models::DecoderConfig CommonOptions::decoder_config(const corpus::LanguageData& data) const {
  models::DecoderConfig config;
  config.layers = layers;
  config.dim = dim;
  config.heads = heads;
  config.context = data.row_length();
  config.vocab = data.vocabulary_size();
  config.bias = bias;
  config.init = init;
  config.embedding_init = embedding_init;
  return config;
}

train::LanguageTraining CommonOptions::training(const models::DecoderConfig& model,
                                                std::int64_t index) const {
  train::LanguageTraining training;
  training.model = model;
  training.optimizer.steps = steps;
  training.optimizer.lr = lr;
  training.optimizer.min_lr = min_lr;
  training.optimizer.warmup = warmup;
  training.optimizer.schedule = schedule;
  training.optimizer.weight_decay = weight_decay;
  training.optimizer.beta1 = beta1;
  training.optimizer.beta2 = beta2;
  training.optimizer.clip = clip;
  training.batch_size = batch_size;
  training.seed = static_cast<std::uint64_t>(seed + index);
  return training;
}

void CommonOptions::note_kernel(Record& record) {
  record.environment.emplace_back("kernel", kernels::selected());
  std::vector<std::string> differences;
  for (const kernels::CheckReport& report : kernels::check_report()) {
    differences.push_back(fmt::format("{} {:.2g}", report.function, report.worst));
  }
  if (!differences.empty()) record.environment.emplace_back("kernel_check", differences);
}

std::unique_ptr<train::ModelCache> CommonOptions::open_cache(Monitor& monitor) const {
  if (!cache) return nullptr;
  return std::make_unique<train::ModelCache>(cache_folder, monitor);
}

}  // namespace xfq::experiments

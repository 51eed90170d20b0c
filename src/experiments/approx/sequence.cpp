// Part sequence: Transformer encoders as maps of sequences, with and without positions.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../numbers.h"
#include "fit.h"
#include "parts.h"
#include "tasks.h"
#include "xfq/core/error.h"
#include "xfq/models/encoder.h"
#include "xfq/train/loop.h"

namespace xfq::experiments::approx {

namespace {

constexpr Index kJudgedSequences = 256;
constexpr double kInit = 0.08;  // as the experiments' decoder (src/README.md)
constexpr double kTableInit = 0.1;
constexpr Index kProbeSequences = 16;
constexpr const char* kPositionTable = "bert.embeddings.position_embeddings.weight";

struct Shape {
  Index layers = 0, dim = 0, heads = 0;
  bool positions = true;

  std::string id() const {
    return fmt::format("l{}d{}h{}.{}", layers, dim, heads, positions ? "positions" : "bag");
  }
};

models::Encoder make_encoder(const Shape& shape, Index time, Index vocab) {
  models::EncoderConfig config;
  config.layers = shape.layers;
  config.dim = shape.dim;
  config.heads = shape.heads;
  config.context = time;
  config.vocab = vocab;
  config.init = kInit;
  config.embedding_init = kTableInit;
  return models::Encoder(config);
}

/// Without positions the table is zero and stays so: exactly the model without it.
template <class S>
void clear_positions(const models::Encoder& encoder, S* values) {
  const nn::ParameterInfo* table = encoder.layout().find(kPositionTable);
  XFQ_ASSERT(table != nullptr);
  std::fill_n(values + table->offset, table->size(), S(0));
}

/// A task's batch as the encoder takes it: the masked positions are those asked for.
class EncoderBatch {
 public:
  void set(const TaskConfig& config, Index batch, TaskBatch drawn) {
    drawn_ = std::move(drawn);
    segments_.assign(drawn_.tokens.size(), 0);
    rows_.clear();
    targets_.clear();
    for (std::size_t r = 0; r < drawn_.targets.size(); ++r) {
      if (drawn_.targets[r] < 0) continue;
      rows_.push_back(static_cast<std::int32_t>(r));
      targets_.push_back(drawn_.targets[r]);
    }
    pairs_ = {};
    pairs_.batch = batch;
    pairs_.time = config.time();
    pairs_.inputs = drawn_.tokens.data();
    pairs_.segments = segments_.data();
    pairs_.masked = static_cast<Index>(rows_.size());
    pairs_.masked_rows = rows_.data();
    pairs_.masked_targets = targets_.data();
  }
  const models::PairBatch& pairs() const { return pairs_; }
  const std::vector<std::int32_t>& targets() const { return targets_; }

 private:
  TaskBatch drawn_;
  std::vector<std::int32_t> segments_, rows_, targets_;
  models::PairBatch pairs_;
};

class Sequence : public Part {
 public:
  explicit Sequence(const Options& options) : options_(options) {
    for (const std::int64_t layers : options.layers) {
      for (const std::int64_t dim : options.dim) {
        for (const std::int64_t heads : options.heads) shapes_.push_back({layers, dim, heads});
      }
    }
    // The largest of each; that shape is also trained without positions.
    const auto largest = [](const std::vector<std::int64_t>& values) {
      return *std::max_element(values.begin(), values.end());
    };
    base_ = {largest(options.layers), largest(options.dim), largest(options.heads)};
    bag_ = base_;
    bag_.positions = false;
    shapes_.push_back(bag_);
  }

  std::string name() const override { return "sequence"; }

  std::vector<Job> jobs(std::uint64_t seed) const override {
    std::vector<Job> jobs;
    for (const std::string& task : options_.task) {
      for (const Shape& shape : shapes_) {
        jobs.push_back(
            {fmt::format("sequence {} {}, seed {}", task, shape.id(), seed),
             fmt::format("sequence {} {} seed {} length {} symbols {} steps {} batch {} lr {}",
                         task, shape.id(), seed, options_.length, options_.symbols,
                         options_.sequence_steps, options_.sequence_batch_size,
                         options_.sequence_lr),
             [this, seed, task, shape](Monitor& monitor) {
               return task_job(task, shape, seed, monitor);
             }});
      }
    }
    jobs.push_back({fmt::format("sequence permutation, seed {}", seed),
                    fmt::format("sequence permutation {} seed {} length {} symbols {}", base_.id(),
                                seed, options_.length, options_.symbols),
                    [this, seed](Monitor&) { return permutation_job(seed); }});
    return jobs;
  }

  Text fill(const std::vector<SeedNumbers>& seeds, Monitor&, Record& record) const override {
    Table table{"tasks",
                {"task", "layers", "dim", "heads", "positions", "parameters", "seed", "accuracy",
                 "whole_sequences", "nll"},
                {}};
    std::vector<Text> learned;
    for (const std::string& task : options_.task) {
      for (const Shape& shape : shapes_) {
        const std::string id = fmt::format("{}.{}", task, shape.id());
        for (const SeedNumbers& seed : seeds) {
          table.rows.push_back({task, static_cast<std::int64_t>(shape.layers),
                                static_cast<std::int64_t>(shape.dim),
                                static_cast<std::int64_t>(shape.heads), shape.positions,
                                static_cast<std::int64_t>(seed.at(id + ".parameters")),
                                static_cast<std::int64_t>(seed.seed), seed.at(id + ".accuracy"),
                                seed.at(id + ".whole"), seed.at(id + ".nll")});
        }
        add_metric(fmt::format("task.{}.accuracy", id), "share", Better::higher,
                   over(seeds, id + ".accuracy"), record);
      }
      const auto mean_of = [&](const Shape& shape) {
        return *stats::mean_t(over(seeds, fmt::format("{}.{}.accuracy", task, shape.id()))).value;
      };
      learned.push_back(
          phrase("{} {:.2f} with and {:.2f} without", {task, mean_of(base_), mean_of(bag_)}));
    }
    add_metric("permutation.bag", "", Better::lower, over(seeds, "permutation.bag"), record);
    add_metric("permutation.positions", "", Better::none, over(seeds, "permutation.positions"),
               record);
    record.tables.push_back(std::move(table));
    return paragraph(
        {phrase("A Transformer of {}, share of right tokens with and without positions: {}.",
                {base_.layers == 1 ? Text("one layer") : phrase("{} layers", {base_.layers}),
                 listing(learned)}),
         phrase("Without them permuting the input permutes the output, to {:.1g}, so no task of "
                "order can be learned.",
                {*stats::mean_t(over(seeds, "permutation.bag")).value})});
  }

 private:
  TaskConfig config_of(const std::string& task) const {
    return {task, options_.length, options_.symbols};
  }

  Numbers task_job(const std::string& task, const Shape& shape, std::uint64_t seed,
                   Monitor& monitor) const {
    const TaskConfig config = config_of(task);
    const Index time = config.time();
    const Index batch = options_.sequence_batch_size;
    const models::Encoder encoder = make_encoder(shape, time, config.vocab());
    Vector<float> parameters;
    nn::initialise(encoder.layout(), seed, parameters);
    if (!shape.positions) clear_positions(encoder, parameters.data());

    auto workspace =
        encoder.make_workspace<float>(batch, time, batch * config.asked_per_sequence());
    EncoderBatch data;
    const train::GradientFunction gradient = [&](std::int64_t step, const float* values,
                                                 float* gradients) {
      Stream stream(seed, "approx.task." + task, static_cast<std::uint64_t>(step));
      data.set(config, batch, draw_task(config, batch, stream));
      const nn::Loss loss =
          encoder.forward_backward(values, data.pairs(), workspace, gradients).masked;
      if (!shape.positions) clear_positions(encoder, gradients);
      return loss;
    };
    train::OptimizerConfig optimizer;
    optimizer.steps = options_.sequence_steps;
    optimizer.lr = options_.sequence_lr;
    optimizer.min_lr = 0.1 * options_.sequence_lr;
    optimizer.warmup = std::min<std::int64_t>(50, options_.sequence_steps / 10);
    optimizer.weight_decay = 0;
    SparseMonitor sparse(monitor);
    train::run_training(encoder.layout(), optimizer, gradient, parameters, sparse,
                        fmt::format("{} {}, seed {}", task, shape.id(), seed));

    const std::string id = fmt::format("{}.{}", task, shape.id());
    Numbers numbers = judge(config, encoder, parameters, seed, id);
    numbers[id + ".parameters"] = static_cast<double>(encoder.layout().count());
    const double tokens = static_cast<double>(options_.sequence_steps * batch * time);
    numbers[kRows] = tokens;
    numbers[kFlops] = tokens * encoder.flops_per_token(time);
    return numbers;
  }

  /// Fresh sequences, the same for every shape.
  static Numbers judge(const TaskConfig& config, const models::Encoder& encoder,
                       const Vector<float>& parameters, std::uint64_t seed, const std::string& id) {
    Stream stream(seed, "approx.judged_task." + config.task);
    EncoderBatch data;
    data.set(config, kJudgedSequences, draw_task(config, kJudgedSequences, stream));
    auto workspace =
        encoder.make_workspace<float>(kJudgedSequences, config.time(), data.pairs().masked);
    encoder.forward(parameters.data(), data.pairs(), workspace);
    const Index asked = config.asked_per_sequence();
    const Index vocab = config.vocab();
    std::int64_t right = 0, whole = 0;
    for (Index b = 0; b < kJudgedSequences; ++b) {
      Index here = 0;
      for (Index i = b * asked; i < (b + 1) * asked; ++i) {
        const float* logits = workspace.logits.data() + i * vocab;
        const auto best = std::max_element(logits, logits + vocab) - logits;
        here += best == data.targets()[static_cast<std::size_t>(i)];
      }
      right += here;
      whole += here == asked;
    }
    Numbers numbers;
    numbers[id + ".accuracy"] =
        static_cast<double>(right) / static_cast<double>(kJudgedSequences * asked);
    numbers[id + ".whole"] = static_cast<double>(whole) / static_cast<double>(kJudgedSequences);
    numbers[id + ".nll"] = encoder.loss(data.pairs(), workspace).masked.mean();
    return numbers;
  }

  /// The largest |f(P x) - P f(x)| of an untrained network in double, over random x and P.
  Numbers permutation_job(std::uint64_t seed) const {
    TaskConfig config = config_of("reverse");
    const Index time = config.time(), vocab = config.vocab();
    const std::size_t width = static_cast<std::size_t>(vocab);
    const models::Encoder encoder = make_encoder(base_, time, vocab);
    const Index rows = kProbeSequences * time;
    auto workspace = encoder.make_workspace<double>(kProbeSequences, time, rows);
    Stream stream(seed, "approx.permutation");
    const TaskBatch drawn = draw_task(config, kProbeSequences, stream);
    std::vector<std::size_t> order(static_cast<std::size_t>(time));
    std::iota(order.begin(), order.end(), std::size_t{0});
    stream.shuffle(order);
    TaskBatch permuted = drawn;
    for (std::size_t b = 0; b < static_cast<std::size_t>(kProbeSequences); ++b) {
      for (std::size_t t = 0; t < order.size(); ++t) {
        permuted.tokens[b * order.size() + t] = drawn.tokens[b * order.size() + order[t]];
      }
    }
    Numbers numbers;
    for (const bool positions : {true, false}) {
      Vector<double> parameters;
      nn::initialise(encoder.layout(), seed, parameters);
      if (!positions) clear_positions(encoder, parameters.data());
      const auto logits_of = [&](const TaskBatch& batch) {
        EncoderBatch data;
        data.set(config, kProbeSequences, batch);
        encoder.forward(parameters.data(), data.pairs(), workspace);
        return Vector<double>(workspace.logits);
      };
      const Vector<double> plain = logits_of(drawn);
      const Vector<double> moved = logits_of(permuted);
      double worst = 0;
      for (std::size_t b = 0; b < static_cast<std::size_t>(kProbeSequences); ++b) {
        for (std::size_t t = 0; t < order.size(); ++t) {
          for (std::size_t v = 0; v < width; ++v) {
            const std::size_t at = (b * order.size() + t) * width + v;
            const std::size_t from = (b * order.size() + order[t]) * width + v;
            worst = std::max(
                worst, std::abs(moved[static_cast<Index>(at)] - plain[static_cast<Index>(from)]));
          }
        }
      }
      numbers[positions ? "permutation.positions" : "permutation.bag"] = worst;
    }
    return numbers;
  }

  const Options& options_;
  std::vector<Shape> shapes_;
  Shape base_, bag_;
};

}  // namespace

std::unique_ptr<Part> make_sequence(const Options& options) {
  return std::make_unique<Sequence>(options);
}

}  // namespace xfq::experiments::approx

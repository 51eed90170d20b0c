#include "measure.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "xfq/core/random.h"
#include "xfq/importance/agreement.h"
#include "xfq/importance/excitation.h"
#include "xfq/kernels/kernels.h"
#include "xfq/train/loop.h"

namespace xfq::experiments::neuron_importance {

using importance::Batch;
using importance::Binning;
using importance::Score;

namespace {

constexpr std::size_t kExcitingTokens = 5;
constexpr std::int64_t kLeastOccurrences = 3;
constexpr Index kBinCounts[] = {16, 32, 64, 128, 256};
constexpr std::int64_t kNormalSamples = 2048;

std::vector<Batch> score_text(const Options& options, const Subject& subject, std::uint64_t seed) {
  return subject.text(TextPart::training, options.tokens, seed, "scores");
}

std::vector<Batch> pruning_text(const Options& options, const Subject& subject,
                                std::uint64_t seed) {
  return subject.text(TextPart::validation, options.prune_tokens, seed, "pruning");
}

std::vector<std::size_t> reversed(std::vector<std::size_t> order) {
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<std::size_t> random_order(std::size_t units, std::uint64_t seed, std::int64_t draw) {
  std::vector<double> values(units);
  Stream stream(seed, "importance/random order", static_cast<std::uint64_t>(draw));
  for (double& value : values) value = stream.uniform();
  return importance::ascending(values);
}

/// The order in which a score's units leave.
std::vector<std::size_t> order_of(const std::string& normalise, const Scored& scored,
                                  const Score& score) {
  return importance::ascending(across_layers(normalise, scored.units, score.values));
}

/// Normal values with every column's mean and standard deviation, counted like the model's.
importance::ValueCounts count_normal(const importance::Units& units,
                                     const importance::Halves& halves,
                                     const std::vector<Binning>& binnings, std::uint64_t seed) {
  importance::UnitSums all = halves[0];
  all.merge(halves[1]);
  const auto columns = static_cast<std::size_t>(units.layers * units.columns());
  const auto samples = static_cast<std::size_t>(kNormalSamples);
  std::vector<float> values(samples * columns);  // [sample, column]
  importance::Halves made;
  for (auto& sums : made) sums.resize(units);
  const double n = static_cast<double>(all.tokens);
  for (std::size_t c = 0; c < columns; ++c) {
    Stream stream(seed, "importance/normal", c);
    const double mean = all.a[c] / n;
    const double sd = std::sqrt(std::max(0.0, all.a_square_column[c] / n - mean * mean));
    for (std::size_t i = 0; i < samples; ++i) {
      const auto value = static_cast<float>(mean + sd * stream.normal());
      values[i * columns + c] = value;
      importance::UnitSums& sums = made[i % 2];
      sums.a[c] += static_cast<double>(value);
      sums.a_square_column[c] += static_cast<double>(value) * static_cast<double>(value);
      sums.lowest[c] = std::min(sums.lowest[c], value);
      sums.highest[c] = std::max(sums.highest[c], value);
    }
  }
  for (auto& sums : made) sums.tokens = kNormalSamples / 2;
  importance::ValueCounts counts(units, made, binnings);
  for (std::size_t i = 0; i < samples; ++i) {
    for (Index l = 0; l < units.layers; ++l) {
      counts.add(static_cast<int>(i % 2), l, values.data() + i * columns + l * units.columns());
    }
  }
  return counts;
}

void append_rows(const std::string& name, std::int64_t samples,
                 const importance::ValueCounts& counts, std::vector<EntropyRow>& rows) {
  for (std::size_t b = 0; b < counts.binnings().size(); ++b) {
    const Binning& binning = counts.binnings()[b];
    for (const bool miller_madow : {false, true}) {
      rows.push_back({name, importance::to_string(binning.range), binning.bins, miller_madow,
                      samples, counts.entropies(b, miller_madow)});
    }
  }
}

}  // namespace

const Score* Scored::find(const std::string& name) const {
  for (const Score& score : set.scores) {
    if (score.name == name) return &score;
  }
  return nullptr;
}

const Ablated* SeedResult::find(const std::string& replacement) const {
  for (const Ablated& one : ablated) {
    if (one.replacement == replacement) return &one;
  }
  return nullptr;
}

std::vector<double> Ablated::damage(const std::string& measure, int half) const {
  std::vector<double> values;
  for (const importance::Effect& effect : effects) values.push_back(effect.measure(measure, half));
  return values;
}

std::vector<double> across_layers(const std::string& normalise, const importance::Units& units,
                                  const std::vector<double>& scores) {
  return normalise == "layer" ? importance::normalise_layers(units, scores) : scores;
}

Scored score(const Options& options, const Subject& subject, std::uint64_t seed, TrainedModel model,
             const importance::StopCheck& stop) {
  Scored scored;
  scored.seed = seed;
  scored.trained = !model.from_cache;
  scored.parameters = std::move(model.parameters);
  scored.units = importance::Units(subject.network(), importance::parse_unit_kind(options.unit));
  scored.set = importance::compute_scores(subject.network(), scored.parameters.data(),
                                          score_text(options, subject, seed), scored.units,
                                          options.score_options(seed), stop);
  scored.means = importance::mean_values(scored.set.sums);
  return scored;
}

std::vector<EntropyRow> measure_entropies(const Options& options, const Subject& subject,
                                          const Scored& scored, const importance::StopCheck& stop) {
  std::vector<Binning> binnings;
  std::set<Index> counts_of_bins(std::begin(kBinCounts), std::end(kBinCounts));
  counts_of_bins.insert(options.bins);
  for (const auto range : {Binning::Range::shared, Binning::Range::clipped, Binning::Range::own}) {
    for (const Index bins : counts_of_bins) binnings.push_back({range, bins});
  }
  const auto counts = importance::count_values(subject.network(), scored.parameters.data(),
                                               score_text(options, subject, scored.seed),
                                               scored.units, scored.set.sums, binnings, stop);
  std::vector<EntropyRow> rows;
  append_rows("model", scored.set.sums[0].tokens + scored.set.sums[1].tokens, counts, rows);
  append_rows("normal", kNormalSamples,
              count_normal(scored.units, scored.set.sums, binnings, scored.seed), rows);
  return rows;
}

Ablated ablate(const Options& options, const Subject& subject, const Scored& scored,
               const std::string& replacement, const importance::StopCheck& stop) {
  const std::vector<Batch> text =
      subject.text(TextPart::validation, options.oracle_tokens, scored.seed, "oracle");
  return {replacement, importance::ablate(subject.network(), scored.parameters.data(), text,
                                          scored.units, importance::parse_replacement(replacement),
                                          scored.means, scored.seed, stop)};
}

Curves measure_curves(const Options& options, const Subject& subject, const Scored& scored,
                      const importance::StopCheck& stop) {
  const importance::Network& network = subject.network();
  const float* const parameters = scored.parameters.data();
  const std::vector<Batch> text = pruning_text(options, subject, scored.seed);
  Curves curves;
  curves.full_loss =
      importance::loss_without(network, parameters, text, scored.units, {}, stop).mean();
  const auto add = [&](CurveRow row, const std::vector<std::size_t>& order) {
    row.curve = importance::prune(network, parameters, text, scored.units, order,
                                  options.prune_fractions, curves.full_loss, stop);
    curves.rows.push_back(std::move(row));
  };
  for (const Score& score : scored.set.scores) {
    if (score.name == "random") continue;  // has many orders, below
    for (const std::string& normalise : options.normalise) {
      const std::vector<std::size_t> order = order_of(normalise, scored, score);
      add({score.name, normalise, "lowest", 0, {}}, order);
      add({score.name, normalise, "highest", 0, {}}, reversed(order));
    }
  }
  for (std::int64_t draw = 0; draw < options.random_orders; ++draw) {
    add({"random", "none", "lowest", draw, {}},
        random_order(static_cast<std::size_t>(scored.units.count()), scored.seed, draw));
  }
  return curves;
}

Focus measure_focus(const Options& options, const Subject& subject, const Scored& scored,
                    Monitor& monitor, const std::string& label, const importance::StopCheck& stop) {
  const importance::Network& network = subject.network();
  const importance::Units& units = scored.units;
  const std::vector<Batch> text = pruning_text(options, subject, scored.seed);
  const auto loss = [&](const Vector<float>& parameters, const std::vector<bool>& removed) {
    return importance::loss_without(network, parameters.data(), text, units, removed, stop).mean();
  };
  Focus focus;
  const double full_loss = loss(scored.parameters, {});
  const std::vector<Batch> scoring = score_text(options, subject, scored.seed);
  for (const std::string& name : options.focused()) {
    if (!options.iterative || name == "random") continue;  // scoring anew changes nothing
    importance::ScoreOptions one = options.score_options(scored.seed);
    one.names = {name};
    const auto rescore = [&](const std::vector<bool>& removed) {
      const auto set = importance::compute_scores(network, scored.parameters.data(), scoring, units,
                                                  one, stop, removed);
      return across_layers(options.normalise.front(), units, set.scores[0].values);
    };
    focus.curves.push_back(
        {name, options.normalise.front(), "iterative", 0,
         importance::prune_iteratively(network, scored.parameters.data(), text, units, rescore,
                                       options.prune_fractions, full_loss, stop)});
  }
  if (options.finetune_steps == 0) return focus;

  // A third of the training's rate, down to where training ended, without a pause to warm up.
  train::OptimizerConfig optimizer = options.training({}, 0).optimizer;
  optimizer.steps = options.finetune_steps;
  optimizer.lr = std::max(options.lr / 3, options.min_lr);
  optimizer.schedule = "linear";
  optimizer.warmup = 0;
  const BatchSource batches = subject.training_batches(scored.seed);
  const auto finetune = [&](const std::string& name, double fraction,
                            const std::vector<bool>& removed) {
    FinetunedRow row{name, fraction, loss(scored.parameters, removed), 0};
    importance::UnitTap tap(units);
    tap.remove(removed);
    Vector<float> parameters = scored.parameters;
    const Batch first = batches(options.steps);
    const auto pass = network.make_pass(first.batch, first.time);
    train::run_training(
        network.layout(), optimizer,
        [&](std::int64_t step, const float* current, float* gradients) {
          // Batches that training would have drawn next.
          const nn::Loss sum =
              pass->forward_backward(current, batches(options.steps + step), gradients, &tap);
          kernels::scale(network.layout().size(), 1.0f / static_cast<float>(sum.count), gradients);
          return sum;
        },
        parameters, monitor, label);
    row.after = loss(parameters, removed);
    focus.finetuned.push_back(row);
  };
  finetune("none", 0, {});
  for (const std::string& name : options.focused()) {
    const Score& score = *scored.find(name);
    finetune(name, options.finetune_fraction,
             importance::first_of(order_of(options.normalise.front(), scored, score),
                                  importance::removed_count(options.finetune_fraction, units)));
  }
  return focus;
}

std::vector<UnitRow> name_units(const Options& options, const Subject& subject,
                                const Scored& scored, const std::vector<double>& damage,
                                const importance::StopCheck& stop) {
  const std::vector<std::size_t> order = importance::ascending(damage);
  std::vector<UnitRow> rows;
  std::vector<Index> chosen;
  const std::int64_t top = std::min(options.top, static_cast<std::int64_t>(order.size() / 2));
  for (const bool most : {true, false}) {
    for (std::int64_t i = 0; i < top; ++i) {
      const auto at = static_cast<std::size_t>(i);
      UnitRow row;
      row.unit = static_cast<Index>(most ? order[order.size() - 1 - at] : order[at]);
      row.most = most;
      row.rank = i + 1;
      chosen.push_back(row.unit);
      rows.push_back(row);
    }
  }
  const auto tokens = importance::exciting_tokens(
      subject.network(), scored.parameters.data(), score_text(options, subject, scored.seed),
      scored.units, chosen, kExcitingTokens, kLeastOccurrences, stop);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::int32_t id : tokens[i]) rows[i].tokens.push_back(subject.tokenizer().token(id));
  }
  return rows;
}

}  // namespace xfq::experiments::neuron_importance

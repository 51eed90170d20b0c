// Part features: learned against hand-made features, training end to end against in
// parts, and one recipe for three kinds of input.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "../numbers.h"
#include "baselines.h"
#include "claims.h"
#include "fit.h"
#include "kinds.h"
#include "parts.h"
#include "xfq/core/random.h"

namespace xfq::experiments::approx {

namespace {

using models::MlpActivation;

// Learned features: one hidden layer, and as many coefficients for everything else.
constexpr Index kFeatureWidth = 16;
struct Contest {
  const char* id;
  const char* target;
};
constexpr Contest kContests[] = {{"analytic", "runge"}, {"single_index", "single-index:10"}};

// End to end: two hidden layers on a single index with noise.
constexpr const char* kTrainingTarget = "single-index:10";
constexpr Index kTrainingWidth = 32;
constexpr double kTrainingNoise = 0.1;
constexpr const char* kModes[] = {"joint", "frozen", "stagewise"};

// Flexibility: the one recipe.
constexpr Index kKindRows = 2048;
constexpr Index kKindWidth = 64;
constexpr double kKindLr = 3e-3;
constexpr double kKindDecay = 0.1;

class FeaturesPart : public Part {
 public:
  explicit FeaturesPart(const Options& options) : options_(options) {}

  std::string name() const override { return "features"; }

  std::vector<Job> jobs(std::uint64_t seed) const override {
    std::vector<Job> jobs;
    const auto add = [&](const std::string& what, const std::string& settings, auto run) {
      jobs.push_back({fmt::format("features {}, seed {}", what, seed),
                      fmt::format("features {} seed {} {}", what, seed, settings),
                      [seed, run](Monitor& monitor) { return run(seed, monitor); }});
    };
    for (const Contest& contest : kContests) {
      add(contest.target,
          fmt::format("samples {} {}", options_.samples, recipe({kFeatureWidth}).text()),
          [this, &contest](std::uint64_t s, Monitor& m) { return contest_job(contest, s, m); });
    }
    for (const std::int64_t size : options_.sizes) {
      add(fmt::format("training {}", size), training_recipe().text(),
          [this, size](std::uint64_t s, Monitor& m) { return training_job(size, s, m); });
    }
    for (const char* kind : {"tabular", "sequence", "grid"}) {
      add(kind, kind_recipe().text(),
          [this, kind = std::string(kind)](std::uint64_t s, Monitor& m) {
            return kind_job(kind, s, m);
          });
    }
    return jobs;
  }

  Text fill(const std::vector<SeedNumbers>& seeds, Monitor&, Record& record) const override {
    const Text contests = fill_contests(seeds, record);
    const Text training = fill_training(seeds, record);
    return paragraph({contests, training, fill_kinds(seeds, record)});
  }

 private:
  Recipe recipe(const std::vector<Index>& hidden) const {
    return {hidden,         models::parse_mlp_activation(options_.activation.front()),
            options_.steps, options_.batch_size,
            options_.lr,    0};
  }
  Recipe training_recipe() const { return recipe({kTrainingWidth, kTrainingWidth}); }
  Recipe kind_recipe() const {
    Recipe r = recipe({kKindWidth, kKindWidth});
    r.lr = kKindLr;
    r.weight_decay = kKindDecay;
    return r;
  }

  // --- learned and hand-made features ------------------------------------------------

  Numbers contest_job(const Contest& contest, std::uint64_t seed, Monitor& monitor) const {
    const Target target = make_target(contest.target, seed);
    const Samples samples = training_samples(target, seed, options_.samples);
    const Samples judging = judging_samples(target, seed);
    Numbers numbers;
    const Fit learned = fit(recipe({kFeatureWidth}), samples, seed, monitor,
                            fmt::format("{}, seed {}", contest.target, seed), numbers);
    const std::string prefix = std::string(contest.id) + ".";
    numbers[prefix + "learned"] = errors_of(learned.predictions(judging), judging).mse();
    for (const Baseline& baseline :
         baselines(target, samples, parameter_count({kFeatureWidth}, target.dim), seed)) {
      numbers[prefix + baseline.name] = errors_of(baseline.predictor, judging).mse();
    }
    return numbers;
  }

  Text fill_contests(const std::vector<SeedNumbers>& seeds, Record& record) const {
    Table table{"features", {"target", "features", "parameters", "seed", "mse"}, {}};
    FeatureNumbers numbers;
    for (const Contest& contest : kContests) {
      const std::string prefix = std::string(contest.id) + ".";
      const Index inputs = make_target(contest.target, seeds.front().seed).dim;
      std::vector<double>& gains =
          contest.id == std::string("analytic") ? numbers.analytic : numbers.single_index;
      std::vector<std::string> names;
      for (const SeedNumbers& seed : seeds) {
        double best = 1e300;
        names.clear();
        for (auto it = seed.numbers.lower_bound(prefix);
             it != seed.numbers.end() && it->first.compare(0, prefix.size(), prefix) == 0; ++it) {
          const std::string features = it->first.substr(prefix.size());
          names.push_back(features);
          if (features != "learned") best = std::min(best, it->second);
          table.rows.push_back({std::string(contest.target), features,
                                static_cast<std::int64_t>(parameter_count({kFeatureWidth}, inputs)),
                                static_cast<std::int64_t>(seed.seed), it->second});
        }
        gains.push_back(std::log2(best / seed.at(prefix + "learned")));
      }
      for (const std::string& features : names) {
        add_metric(fmt::format("features.{}{}.mse", prefix, features), "", Better::lower,
                   over(seeds, prefix + features), record);
      }
      add_metric(fmt::format("features.{}gain", prefix), "log2", Better::none, gains, record);
    }
    record.tables.push_back(std::move(table));
    record.claims.push_back(learned_features(numbers));
    return phrase(
        "At equal parameters the error of the best fixed features over that of learned ones is 2 "
        "to the power {} on an analytic function of one variable and {} on a single direction in "
        "ten dimensions.",
        {with_interval(stats::mean_t(numbers.analytic), "{:.1f}"),
         with_interval(stats::mean_t(numbers.single_index), "{:.1f}")});
  }

  // --- end to end --------------------------------------------------------------------

  Numbers training_job(std::int64_t size, std::uint64_t seed, Monitor& monitor) const {
    const Target target = make_target(kTrainingTarget, seed);
    Samples samples = training_samples(target, seed, size);
    Stream noise(seed, "approx.training_noise");
    for (double& y : samples.y) y += kTrainingNoise * noise.normal();
    const Samples judging = judging_samples(target, seed);
    Numbers numbers;
    for (const char* mode : kModes) {
      const Vector<float> parameters = train_mode(
          mode, samples, seed, monitor, fmt::format("{} {}, seed {}", mode, size, seed), numbers);
      const Fit trained{network(training_recipe(), samples.dim), parameters};
      numbers[fmt::format("training.{}.{}", size, mode)] =
          errors_of(trained.predictions(judging), judging).mse();
    }
    return numbers;
  }

  /// The same network, parameters and number of updates; what differs is which layers
  /// learn when.
  ///   joint      all layers, all the time
  ///   frozen     hidden layers stay at their initial values
  ///   stagewise  the first hidden layer under an output layer of its own for half of
  ///              the updates, then the rest with the first layer frozen
  Vector<float> train_mode(const std::string& mode, const Samples& samples, std::uint64_t seed,
                           Monitor& monitor, const std::string& label, Numbers& spent) const {
    const Recipe whole = training_recipe();
    if (mode == "joint") return fit(whole, samples, seed, monitor, label, spent).parameters;
    FitOptions options;
    if (mode == "frozen") {
      options.first_layer = 2;
      return fit(whole, samples, seed, monitor, label, spent, options).parameters;
    }
    Recipe first = recipe({kTrainingWidth});
    first.steps = whole.steps / 2;
    const Fit lower = fit(first, samples, seed, monitor, label, spent);
    const models::Mlp deep = network(whole, samples.dim);
    Vector<float> start;
    nn::initialise(deep.layout(), seed, start);
    // Both layouts begin with the first layer.
    const Index shared = deep.layers()[1].weight;
    start.head(shared) = lower.parameters.head(shared);
    Recipe second = whole;
    second.steps = whole.steps - first.steps;
    options.first_layer = 1;
    options.start = &start;
    return fit(second, samples, seed, monitor, label, spent, options).parameters;
  }

  Text fill_training(const std::vector<SeedNumbers>& seeds, Record& record) const {
    Table table{"training_modes", {"mode", "examples", "seed", "mse"}, {}};
    EndToEndNumbers numbers;
    std::vector<Text> items;
    for (const std::int64_t size : options_.sizes) {
      const auto id_of = [&](const char* mode) {
        return fmt::format("training.{}.{}", size, mode);
      };
      std::vector<double> gains;
      for (const SeedNumbers& seed : seeds) {
        for (const char* mode : kModes) {
          table.rows.push_back({std::string(mode), size, static_cast<std::int64_t>(seed.seed),
                                seed.at(id_of(mode))});
        }
        gains.push_back(std::log2(std::min(seed.at(id_of("frozen")), seed.at(id_of("stagewise"))) /
                                  seed.at(id_of("joint"))));
      }
      for (const char* mode : kModes) {
        add_metric(id_of(mode) + ".mse", "", Better::lower, over(seeds, id_of(mode)), record);
      }
      add_metric(fmt::format("training.{}.gain", size), "log2", Better::none, gains, record);
      items.push_back(
          phrase("{} with {} examples", {with_interval(stats::mean_t(gains), "{:+.1f}"), size}));
      numbers.emplace_back(phrase("{} examples", {size}), std::move(gains));
    }
    record.tables.push_back(std::move(table));
    record.claims.push_back(end_to_end(numbers));
    return phrase(
        "Training end to end instead of in parts lowers the error, in powers of two, by {}.",
        {listing(items)});
  }

  // --- flexibility -------------------------------------------------------------------

  Numbers kind_job(const std::string& name, std::uint64_t seed, Monitor& monitor) const {
    Numbers numbers;
    for (const Kind& kind : kinds(seed, kKindRows)) {
      if (kind.name != name) continue;
      const Fit trained = fit(kind_recipe(), kind.training, seed, monitor,
                              fmt::format("{}, seed {}", name, seed), numbers);
      const std::string prefix = fmt::format("kind.{}.", name);
      numbers[prefix + "network"] =
          errors_of(trained.predictions(kind.judging), kind.judging).mse();
      for (const auto& [method, features] : kind.specialists) {
        numbers[prefix + method] =
            errors_of(fit_linear(features, kind.training), kind.judging).mse();
      }
    }
    return numbers;
  }

  Text fill_kinds(const std::vector<SeedNumbers>& seeds, Record& record) const {
    Table table{"kinds", {"kind", "method", "seed", "mse"}, {}};
    FlexibilityNumbers numbers;
    numbers.ratios.resize(seeds.size());
    std::vector<Text> items;
    for (const std::string kind : {"tabular", "sequence", "grid"}) {
      const std::string prefix = fmt::format("kind.{}.", kind);
      std::vector<double> ratios;
      std::vector<std::string> methods;
      for (std::size_t s = 0; s < seeds.size(); ++s) {
        double best = 1e300;
        methods.clear();
        for (auto it = seeds[s].numbers.lower_bound(prefix);
             it != seeds[s].numbers.end() && it->first.compare(0, prefix.size(), prefix) == 0;
             ++it) {
          methods.push_back(it->first.substr(prefix.size()));
          if (methods.back() != "network") best = std::min(best, it->second);
          table.rows.push_back(
              {kind, methods.back(), static_cast<std::int64_t>(seeds[s].seed), it->second});
        }
        ratios.push_back(seeds[s].at(prefix + "network") / best);
        numbers.ratios[s].push_back(ratios.back());
      }
      for (const std::string& method : methods) {
        add_metric(fmt::format("kind.{}.{}.mse", kind, method), "", Better::lower,
                   over(seeds, prefix + method), record);
      }
      add_metric(fmt::format("kind.{}.ratio", kind), "ratio", Better::lower, ratios, record);
      items.push_back(Text::verbatim(kind + " ") + with_interval(stats::mean_t(ratios), "{:.2f}"));
    }
    record.tables.push_back(std::move(table));
    record.claims.push_back(flexibility(numbers));
    return phrase(
        "One recipe on three kinds of input, error over that of the best specialised method: {}.",
        {listing(items)});
  }

  const Options& options_;
};

}  // namespace

std::unique_ptr<Part> make_features(const Options& options) {
  return std::make_unique<FeaturesPart>(options);
}

}  // namespace xfq::experiments::approx

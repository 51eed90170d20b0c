// Part universal: what networks can represent by construction, and what training finds.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "../numbers.h"
#include "../runs.h"
#include "bands.h"
#include "baselines.h"
#include "claims.h"
#include "constructions.h"
#include "fit.h"
#include "functions.h"
#include "parts.h"
#include "xfq/core/error.h"
#include "xfq/stats/correlation.h"

namespace xfq::experiments::approx {

namespace {

using models::MlpActivation;

constexpr const char* kBarronTarget = "barron:6";
constexpr Index kBarronSamples = 4;  ///< times --samples: the slope is one of approximation
constexpr Index kTwinRows = 2048;
constexpr Index kTwinLayers = 8;  ///< deeper constructions are not trained
constexpr Index kTwinWidth = 64;
constexpr Index kDrawnCells = 128;  ///< of a target's interval, where it is drawn
constexpr Index kDrawnSize = 4;     ///< constructions are drawn at the largest size up to this,
constexpr Index kTwinCells = 64;    ///< so that this holds their knots
constexpr int kDrawnDigits = 6;
constexpr double kSawtoothError = 0.1;
constexpr Index kSawtoothFolds = 6;

/// A construction that is also trained: the same layers, weights from training.
bool has_twin(const Construction& c) {
  const auto& widths = c.config.widths;
  return static_cast<Index>(widths.size()) - 2 <= kTwinLayers &&
         *std::max_element(widths.begin(), widths.end()) <= kTwinWidth;
}

std::string id_of(const Construction& c) { return fmt::format("{}.{}", c.name, c.size); }

Target target_of(const Construction& c) {
  Target target;
  target.name = "construction." + id_of(c);
  target.dim = c.inputs();
  target.lo = 0;
  target.hi = 1;
  target.value = c.goal;
  return target;
}

/// The smallest N at which the interpolant with N pieces is within kSawtoothError of the
/// sawtooth with `folds` folds. No layer of fewer than 2^folds - 1 ReLUs can be within a
/// half of it: it has 2^folds pieces that cross that level (Telgarsky 2016, lemma 3.2).
Index sawtooth_width(Index folds) {
  const Construction sawtooth = sawtooth_network(folds);
  const Function1 f = [&](double x) { return sawtooth.closed_form(&x); };
  for (Index pieces = 1;; ++pieces) {
    const Construction line = interpolation_network(f, pieces);
    double worst = 0;
    constexpr Index kPoints = 1024;
    for (Index i = 0; i <= kPoints; ++i) {
      const double x = static_cast<double>(i) / static_cast<double>(kPoints);
      worst = std::max(worst, std::abs(line.closed_form(&x) - f(x)));
    }
    if (worst < kSawtoothError) return pieces;
  }
}

Index parameters_of(const Construction& c) { return models::Mlp(c.config).layout().count(); }

class Universal : public Part {
 public:
  Universal(const Options& options, const Target* file)
      : options_(options), file_(file), bands_(options) {
    for (const std::string& name : options.construction) {
      for (Construction& c : constructions(name)) constructions_.push_back(std::move(c));
    }
    const auto [narrowest, widest] =
        std::minmax_element(options.widths.begin(), options.widths.end());
    narrowest_ = *narrowest;
    widest_ = *widest;
    deepest_ = *std::max_element(options.depths.begin(), options.depths.end());
    targets_ = options.target;
    if (file != nullptr) targets_.push_back(file->name);
  }

  std::string name() const override { return "universal"; }

  std::vector<Job> jobs(std::uint64_t seed) const override {
    std::vector<Job> jobs;
    const auto add = [&](const std::string& what, const std::string& settings, auto run) {
      jobs.push_back({fmt::format("universal {}, seed {}", what, seed),
                      fmt::format("universal {} seed {} {}", what, seed, settings),
                      [seed, run](Monitor& monitor) { return run(seed, monitor); }});
    };
    // A job that keeps a function is another one than its like that does not.
    const auto drawing = [&](const Target& target, Index cells) {
      return draws(target, seed) ? fmt::format(" functions on {} cells", cells) : std::string();
    };
    const std::string sweep = sweep_text();
    add("barron", fmt::format("{} {}", kBarronTarget, sweep),
        [this](std::uint64_t s, Monitor& m) { return barron_job(s, m); });
    for (const std::string& target : targets_) {
      add("target " + target,
          sweep + file_text(target) + drawing(target_named(target, seed), kDrawnCells),
          [this, target](std::uint64_t s, Monitor& m) { return target_job(target, s, m); });
    }
    for (const Construction& c : constructions_) {
      if (!has_twin(c)) continue;
      add("construction " + id_of(c), twin_recipe(c).text() + drawing(target_of(c), kTwinCells),
          [this, &c](std::uint64_t s, Monitor& m) { return twin_job(c, s, m); });
    }
    add("bands", bands_.settings(),
        [this](std::uint64_t s, Monitor& m) { return bands_.measure(s, m); });
    return jobs;
  }

  Text fill(const std::vector<SeedNumbers>& seeds, Monitor&, Record& record) const override {
    WideLayerNumbers numbers;
    const Text constructions = fill_constructions(seeds, numbers, record);
    const Text sweeps = fill_sweeps(seeds, numbers, record);
    const Text bands = bands_.fill(seeds, record);
    if (seeds.front().seed == first_seed()) {
      fill_functions(seeds.front(), record);
      fill_twins(seeds.front(), record);
    }
    record.claims.push_back(one_wide_layer_suffices(numbers));
    return paragraph({constructions, sweeps, bands});
  }

 private:
  Recipe recipe(const std::vector<Index>& hidden) const {
    return {hidden, activation(), options_.steps, options_.batch_size, options_.lr, 0};
  }
  Recipe twin_recipe(const Construction& c) const {
    Recipe recipe{{}, c.config.activation, options_.steps, options_.batch_size, options_.lr, 0};
    recipe.hidden.assign(c.config.widths.begin() + 1, c.config.widths.end() - 1);
    return recipe;
  }

  MlpActivation activation() const {
    return models::parse_mlp_activation(options_.activation.front());
  }

  std::string sweep_text() const {
    std::string text = fmt::format("samples {} widths", options_.samples);
    for (const std::int64_t width : options_.widths) text += fmt::format(" {}", width);
    text += " depths";
    for (const std::int64_t depth : options_.depths) text += fmt::format(" {}", depth);
    return text + " " + recipe({}).text();
  }

  /// A file is known by its numbers, not by its name.
  std::string file_text(const std::string& target) const {
    if (file_ == nullptr || target != file_->name) return {};
    std::string text = fmt::format(" {} inputs:", file_->dim);
    for (const double x : file_->file.x) text += to_text(x) + ",";
    text += " y:";
    for (const double y : file_->file.y) text += to_text(y) + ",";
    return text;
  }

  Target target_named(const std::string& name, std::uint64_t seed) const {
    return file_ != nullptr && name == file_->name ? *file_ : make_target(name, seed);
  }

  std::uint64_t first_seed() const { return static_cast<std::uint64_t>(options_.common.seed); }

  /// Functions of one variable are kept for the first seed.
  bool draws(const Target& target, std::uint64_t seed) const {
    return seed == first_seed() && target.interval();
  }

  /// Trains for a target and keeps the errors under `id`, and the function itself where
  /// one is to be drawn (nullptr: none).
  void train_and_judge(const Recipe& recipe, const Samples& samples, const Samples& judging,
                       const Samples* grid, std::uint64_t seed, const std::string& label,
                       const std::string& id, Numbers& numbers, Monitor& monitor) const {
    const Fit trained =
        fit(recipe, samples, seed, monitor, fmt::format("{}, seed {}", label, seed), numbers);
    put(id, errors_of(trained.predictions(judging), judging), numbers);
    if (grid != nullptr) keep_function(id, trained, *grid, numbers);
  }

  static std::string width_id(const std::string& target, std::int64_t width) {
    return fmt::format("{}.width.{}", target, width);
  }
  static std::string depth_id(const std::string& target, std::int64_t depth) {
    return fmt::format("{}.depth.{}", target, depth);
  }

  static void put(const std::string& id, const Errors& errors, Numbers& numbers) {
    numbers[id + ".mse"] = errors.mse();
    numbers[id + ".sup"] = errors.sup;
  }

  Numbers barron_job(std::uint64_t seed, Monitor& monitor) const {
    const Target target = make_target(kBarronTarget, seed);
    const Samples samples = training_samples(target, seed, kBarronSamples * options_.samples);
    const Samples judging = judging_samples(target, seed);
    Numbers numbers;
    for (const std::int64_t width : options_.widths) {
      train_and_judge(recipe({width}), samples, judging, nullptr, seed,
                      fmt::format("barron {}", width), fmt::format("barron.{}", width), numbers,
                      monitor);
    }
    return numbers;
  }

  Numbers target_job(const std::string& name, std::uint64_t seed, Monitor& monitor) const {
    const Target target = target_named(name, seed);
    const Samples samples = training_samples(target, seed, options_.samples);
    const Samples judging = judging_samples(target, seed);
    const Samples grid = drawing_grid(target.lo, target.hi, kDrawnCells);
    const auto grid_if = [&](bool wanted) {
      return wanted && draws(target, seed) ? &grid : nullptr;
    };
    Numbers numbers;
    for (const std::int64_t width : options_.widths) {
      train_and_judge(
          recipe({width}), samples, judging, grid_if(width == narrowest_ || width == widest_), seed,
          fmt::format("{} width {}", name, width), width_id(name, width), numbers, monitor);
      for (const Baseline& baseline :
           baselines(target, samples, parameter_count({width}, target.dim), seed)) {
        put(fmt::format("{}.{}.{}", name, baseline.name, width),
            errors_of(baseline.predictor, judging), numbers);
      }
      stop_if_asked(monitor, name);
    }
    for (const std::int64_t depth : options_.depths) {
      train_and_judge(recipe(layers_at(depth, target.dim)), samples, judging,
                      grid_if(depth == deepest_), seed, fmt::format("{} depth {}", name, depth),
                      depth_id(name, depth), numbers, monitor);
    }
    return numbers;
  }

  /// `depth` layers with the parameters of the widest single one.
  std::vector<Index> layers_at(Index depth, Index inputs) const {
    return hidden_layers(depth, inputs, parameter_count({widest_}, inputs));
  }

  Numbers twin_job(const Construction& c, std::uint64_t seed, Monitor& monitor) const {
    const Target target = target_of(c);
    const Samples grid = drawing_grid(target.lo, target.hi, kTwinCells);
    Numbers numbers;
    train_and_judge(twin_recipe(c), training_samples(target, seed, kTwinRows),
                    judging_samples(target, seed), draws(target, seed) ? &grid : nullptr, seed,
                    id_of(c), id_of(c), numbers, monitor);
    return numbers;
  }

  Text fill_constructions(const std::vector<SeedNumbers>& seeds, WideLayerNumbers& numbers,
                          Record& record) const {
    Table table{
        "constructions",
        {"construction", "target", "size", "layers", "width", "parameters", "closed_form_error",
         "sup", "bound", "trained_sup", "trained_sup_best", "trained_mse"},
        {}};
    double worst = 0;
    // A claim asks about two kinds whatever --construction says.
    for (const char* needed : {"interpolation", "square"}) {
      for (const Construction& c : constructions(needed)) {
        const double deviation = std::abs(check(c).goal - c.bound);
        double& largest =
            c.name == "square" ? numbers.square_deviation : numbers.interpolation_deviation;
        largest = std::max(largest, deviation);
      }
    }
    for (const Construction& c : constructions_) {
      const ConstructionErrors errors = check(c);
      worst = std::max(worst, errors.closed_form);
      std::optional<double> trained_sup, trained_sup_best, trained_mse;
      if (has_twin(c)) {
        const auto sups = over(seeds, id_of(c) + ".sup");
        const auto mses = over(seeds, id_of(c) + ".mse");
        trained_sup = *stats::mean_t(sups).value;
        trained_sup_best = *std::min_element(sups.begin(), sups.end());
        trained_mse = *stats::mean_t(mses).value;
        add_metric(fmt::format("construction.{}.trained_sup", id_of(c)), "", Better::lower, sups,
                   record);
      }
      record.metrics.push_back(exact_metric(fmt::format("construction.{}.sup", id_of(c)), "",
                                            Better::lower, errors.goal));
      const auto& widths = c.config.widths;
      table.rows.push_back(
          {c.name, c.target, static_cast<std::int64_t>(c.size),
           static_cast<std::int64_t>(widths.size()) - 2,
           static_cast<std::int64_t>(*std::max_element(widths.begin(), widths.end())),
           static_cast<std::int64_t>(parameters_of(c)), errors.closed_form, errors.goal, c.bound,
           cell(trained_sup), cell(trained_sup_best), cell(trained_mse)});
    }
    record.tables.push_back(std::move(table));
    if (!constructions_.empty()) {
      record.metrics.push_back(
          exact_metric("construction.closed_form_error", "", Better::lower, worst));
    }

    numbers.width_doublings = 1e300;
    Index last = sawtooth_width(1);
    for (Index k = 2; k <= kSawtoothFolds; ++k) {
      const Index width = sawtooth_width(k);
      numbers.width_doublings =
          std::min(numbers.width_doublings,
                   std::log2(static_cast<double>(width) / static_cast<double>(last)));
      last = width;
    }
    record.metrics.push_back(
        exact_metric("sawtooth.width_doublings", "log2", Better::none, numbers.width_doublings));
    const Construction deep = square_network(12);
    // N pieces have the error 1 / (4 N^2): the same at N = 2^12, with 3 N + 1 parameters.
    numbers.parameter_ratio = static_cast<double>(parameter_count({Index{1} << 12}, 1)) /
                              static_cast<double>(parameters_of(deep));
    record.metrics.push_back(
        exact_metric("square.parameter_ratio", "", Better::none, numbers.parameter_ratio));
    std::vector<Text> sentences = {phrase(
        "Written-down networks do what the theorems say: x^2 to a sup error of 2^(-2m-2) with m "
        "layers of three ReLUs ({} up to m = 12), or with 2^m ReLUs in one layer, which at m = 12 "
        "costs {:.0f} times the parameters.",
        {numbers.square_deviation == 0 ? Text("exact in double precision")
                                       : phrase("within {:.1g}", {numbers.square_deviation}),
         numbers.parameter_ratio})};
    const auto twin = std::find_if(constructions_.begin(), constructions_.end(),
                                   [](const auto& c) { return c.name == "square" && c.size == 4; });
    if (twin != constructions_.end()) {
      sentences.push_back(phrase(
          "Training a network of the shape m = 4 finds a sup error of {} instead of {:.2g}: what "
          "can be represented is not what is learned.",
          {with_interval(stats::mean_t(over(seeds, "square.4.sup")), "{:.2g}"), twin->bound}));
    }
    return paragraph(sentences);
  }

  Text fill_sweeps(const std::vector<SeedNumbers>& seeds, WideLayerNumbers& numbers,
                   Record& record) const {
    Table widths{"widths", {"target", "method", "width", "parameters", "seed", "mse", "sup"}, {}};
    Table depths{"depths", {"target", "depth", "width", "parameters", "seed", "mse", "sup"}, {}};
    std::vector<double> log_width;
    for (const std::int64_t width : options_.widths) {
      log_width.push_back(std::log(static_cast<double>(width)));
    }
    const auto slope_of = [&](const SeedNumbers& seed, const std::string& prefix) {
      std::vector<double> log_mse;
      for (const std::int64_t width : options_.widths) {
        // A mean square below the resolution of float says nothing more.
        log_mse.push_back(
            std::log(std::max(1e-14, seed.at(fmt::format("{}.{}.mse", prefix, width)))));
      }
      return *stats::linear_fit(log_width, log_mse).slope.value;
    };
    for (const SeedNumbers& seed : seeds) {
      numbers.trained_slope.push_back(slope_of(seed, "barron"));
      const Index inputs = make_target(kBarronTarget, seed.seed).dim;
      for (const std::int64_t width : options_.widths) {
        add_width_row(kBarronTarget, "network", width, parameter_count({width}, inputs), seed,
                      fmt::format("barron.{}", width), widths);
      }
    }
    add_metric("barron.slope", "", Better::lower, numbers.trained_slope, record);
    for (const std::string& name : targets_) {
      const Target target = target_named(name, seeds.front().seed);
      std::vector<double> slopes;
      for (const SeedNumbers& seed : seeds) {
        slopes.push_back(slope_of(seed, name + ".width"));
        for (const std::int64_t width : options_.widths) {
          const Index parameters = parameter_count({width}, target.dim);
          add_width_row(name, "network", width, parameters, seed, width_id(name, width), widths);
          for (const std::string& method : methods_of(target)) {
            add_width_row(name, method, width, parameters, seed,
                          fmt::format("{}.{}.{}", name, method, width), widths);
          }
        }
        for (const std::int64_t depth : options_.depths) {
          const std::vector<Index> hidden = layers_at(depth, target.dim);
          const std::string id = depth_id(name, depth);
          depths.rows.push_back({name, depth, static_cast<std::int64_t>(hidden.front()),
                                 static_cast<std::int64_t>(parameter_count(hidden, target.dim)),
                                 static_cast<std::int64_t>(seed.seed), seed.at(id + ".mse"),
                                 seed.at(id + ".sup")});
        }
      }
      add_metric(name + ".slope", "", Better::lower, slopes, record);
      for (const std::int64_t depth : options_.depths) {
        add_metric(fmt::format("{}.depth.{}.mse", name, depth), "", Better::lower,
                   over(seeds, depth_id(name, depth) + ".mse"), record);
      }
      for (const std::string& method : methods_of(target)) {
        add_metric(fmt::format("{}.{}.mse", name, method), "", Better::lower,
                   over(seeds, fmt::format("{}.{}.{}.mse", name, method, widest_)), record);
      }
    }
    record.tables.push_back(std::move(widths));
    record.tables.push_back(std::move(depths));
    return phrase(
        "Trained one-layer networks on a Barron target: the mean square falls as width to the "
        "power {}.",
        {with_interval(stats::mean_t(numbers.trained_slope), "{:.2f}")});
  }

  static void add_width_row(const std::string& target, const std::string& method,
                            std::int64_t width, Index parameters, const SeedNumbers& seed,
                            const std::string& id, Table& table) {
    table.rows.push_back({target, method, width, static_cast<std::int64_t>(parameters),
                          static_cast<std::int64_t>(seed.seed), seed.at(id + ".mse"),
                          seed.at(id + ".sup")});
  }

  static std::vector<std::string> methods_of(const Target& target) {
    if (target.interval()) {
      return {"chebyshev", "fourier", "spline", "random_relu", "random_fourier"};
    }
    return {"polynomial", "random_relu", "random_fourier"};
  }

  static double drawn(double value) { return rounded(value, kDrawnDigits); }

  /// Targets of one variable with networks over them, and a polynomial with as many
  /// coefficients as the narrowest has parameters: more of them would hide the target.
  void fill_functions(const SeedNumbers& seed, Record& record) const {
    Table table{
        "functions", {"target", "x", "value", "narrowest", "widest", "deepest", "chebyshev"}, {}};
    for (const std::string& name : targets_) {
      const Target target = target_named(name, seed.seed);
      if (!target.interval()) continue;
      const Samples grid = drawing_grid(target.lo, target.hi, kDrawnCells);
      const auto kept = [&](const std::string& id) {
        return kept_function(id, grid, seed.numbers);
      };
      const std::vector<double> narrowest = kept(width_id(name, narrowest_));
      const std::vector<double> widest = kept(width_id(name, widest_));
      const std::vector<double> deepest = kept(depth_id(name, deepest_));
      const Predictor polynomial = chebyshev(target, parameter_count({narrowest_}, 1));
      for (std::size_t i = 0; i < grid.x.size(); ++i) {
        const double* const x = &grid.x[i];
        table.rows.push_back({name, *x, drawn(target.value(x)), drawn(narrowest[i]),
                              drawn(widest[i]), drawn(deepest[i]), drawn(polynomial(x))});
      }
    }
    record.tables.push_back(std::move(table));
  }

  /// Written-down functions of one variable and what training made of the same layers.
  void fill_twins(const SeedNumbers& seed, Record& record) const {
    Table table{"twins", {"construction", "size", "x", "value", "written_down", "trained"}, {}};
    const Samples grid = drawing_grid(0, 1, kTwinCells);
    std::map<std::string, const Construction*> chosen;  // sizes of a construction increase
    for (const Construction& c : constructions_) {
      if (c.size <= kDrawnSize && has_twin(c) && target_of(c).interval()) chosen[c.name] = &c;
    }
    for (const auto& [name, c] : chosen) {
      const std::vector<double> written_down = evaluate(*c, grid.x);
      const std::vector<double> trained = kept_function(id_of(*c), grid, seed.numbers);
      for (std::size_t i = 0; i < grid.x.size(); ++i) {
        table.rows.push_back({name, static_cast<std::int64_t>(c->size), grid.x[i],
                              drawn(c->goal(&grid.x[i])), drawn(written_down[i]),
                              drawn(trained[i])});
      }
    }
    record.tables.push_back(std::move(table));
  }

  const Options& options_;
  const Target* file_;
  Bands bands_;
  std::vector<Construction> constructions_;
  std::vector<std::string> targets_;
  Index narrowest_ = 0;  ///< of --widths
  Index widest_ = 0;
  Index deepest_ = 0;  ///< of --depths
};

}  // namespace

std::unique_ptr<Part> make_universal(const Options& options, const Target* file) {
  return std::make_unique<Universal>(options, file);
}

}  // namespace xfq::experiments::approx

// Runs `xfq quantize`: trains the models, then measures every part of the answer on each of them.
// Jobs are independent and small, so that all threads have work; their order decides nothing but
// what is finished when the user stops the program.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "../runs.h"
#include "arms.h"
#include "options.h"
#include "record.h"
#include "result.h"
#include "speed.h"
#include "subject.h"
#include "xfq/core/error.h"
#include "xfq/experiments/quantize.h"
#include "xfq/models/checkpoint.h"

namespace xfq::experiments {

namespace quantize {

namespace {

/// One width of the frontier, its decoder and the parameters of every seed.
struct Width {
  models::Decoder decoder;
  std::vector<std::optional<Subject>> subjects;  ///< none where training was interrupted
};

/// A piece of work on one seed that fills its own field of the result.
struct Job {
  std::size_t seed;
  std::string label;
  std::function<void()> work;
};

class Quantize : public Experiment {
 public:
  void describe(OptionTable& table) override { options_.describe(table); }

  void apply_profile(Profile profile) override {
    profile_ = profile;
    options_.apply(profile);
  }

  void check() override {
    options_.check();
    data_ = corpus::load_language_data(options_.language_options());
    decoder_config_ = options_.decoder_config(*data_);
    if (!options_.model.empty()) load_model();
  }

  Record run(Monitor& monitor) override {
    Record record = start_record(
        "xfq/quantize/1", 23, "Why INT8 quantization, and how to get the quality back?", profile_);
    record.data.push_back(data_->source());

    const auto cache = options_.open_cache(monitor);
    std::vector<Width> widths = make_widths();
    train_models(widths, cache.get(), monitor, record);
    const std::vector<SeedResult> seeds = measure_parts(widths, cache.get(), monitor, record);

    const models::Decoder& decoder = widths.front().decoder;
    fill_record(options_, decoder, *data_, seeds, record);
    if (options_.wants("speed")) fill_speed(decoder, options_, monitor, record);
    if (!trains_widths() && options_.wants("frontier")) {
      record.warnings.push_back({"no_frontier",
                                 "a checkpoint has one width: the equal-bytes frontier is left out",
                                 "leave --model out, or frontier out of --parts"});
    }
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
  bool trains_widths() const { return options_.model.empty(); }

  /// The model proper first, then the frontier's other widths, ascending.
  std::vector<Width> make_widths() const {
    const auto seeds = static_cast<std::size_t>(options_.seeds);
    std::vector<Width> widths;
    widths.push_back({models::Decoder(decoder_config_), {}});
    if (options_.wants("frontier") && trains_widths()) {
      for (const std::int64_t width : options_.all_widths()) {
        if (width == decoder_config_.dim) continue;
        models::DecoderConfig config = decoder_config_;
        config.dim = width;
        widths.push_back({models::Decoder(config), {}});
      }
    }
    for (Width& width : widths) width.subjects.resize(seeds);
    return widths;
  }

  /// Trains every width with every seed, the most expensive first.
  void train_models(std::vector<Width>& widths, train::ModelCache* cache, Monitor& monitor,
                    Record& record) const {
    std::vector<std::pair<std::size_t, std::size_t>> order;  // width, seed
    for (std::size_t w = 0; w < widths.size(); ++w) {
      for (std::size_t s = 0; s < widths[w].subjects.size(); ++s) order.emplace_back(w, s);
    }
    std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
      return widths[a.first].decoder.config().dim > widths[b.first].decoder.config().dim;
    });
    const auto jobs = static_cast<Index>(order.size());
    monitor.plan(jobs);
    const auto from_cache = run_jobs<bool>(jobs, options_.threads, [&](Index i) {
      const auto [w, s] = order[static_cast<std::size_t>(i)];
      const models::Decoder& decoder = widths[w].decoder;
      const train::LanguageTraining training =
          options_.training(decoder.config(), static_cast<std::int64_t>(s));
      const std::string label =
          w == 0 ? fmt::format("seed {}", training.seed)
                 : fmt::format("seed {}, width {}", training.seed, decoder.config().dim);
      train::TrainedDecoder model =
          loaded_ ? train::TrainedDecoder{*loaded_, {}, true}
                  : train::train_decoder(training, decoder, *data_, cache, monitor, label);
      Subject subject(options_, decoder, *data_, monitor, training.seed,
                      std::move(model.parameters));
      subject.prepare();
      if (w == 0) subject.calibrate();
      widths[w].subjects[s] = std::move(subject);
      monitor.finished(label);
      return model.from_cache;
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (!from_cache[i] || *from_cache[i]) continue;
      add_training_cost(widths[order[i].first].decoder, options_.steps, record);
    }
  }

  void add_training_cost(const models::Decoder& decoder, std::int64_t steps, Record& record) const {
    const std::int64_t tokens = steps * options_.batch_size * data_->row_length();
    record.cost.tokens += tokens;
    record.cost.flops += static_cast<double>(tokens) * decoder.flops_per_token(data_->row_length());
  }

  /// The jobs of one seed, the longest first.
  void add_jobs(const std::vector<Width>& widths, std::size_t seed, train::ModelCache* cache,
                SeedResult& result, std::vector<Job>& jobs) const {
    const Subject& subject = *widths.front().subjects[seed];
    result.seed = subject.seed();
    const auto add = [&](const std::string& name, std::function<void()> work) {
      jobs.push_back({seed, fmt::format("{}, {}", subject.label(), name), std::move(work)});
    };
    const auto part = [&](const std::string& name, std::function<void()> work) {
      if (options_.wants(name)) add(name, std::move(work));
    };
    if (options_.wants("recover")) {
      const std::vector<std::int64_t> bits = options_.all_recover_bits();
      if (options_.recovers_by("qat")) {
        std::vector<std::int64_t> runs = {32};
        runs.insert(runs.end(), bits.begin(), bits.end());
        result.finetune.resize(runs.size());
        for (std::size_t i = 0; i < runs.size(); ++i) {
          const std::int64_t width = runs[i];
          add(width == 32 ? "fp32 control" : fmt::format("qat at {} bits", width),
              [&subject, &result, cache, width, i] {
                result.finetune[i] = finetune(subject, width, cache);
              });
        }
      }
      result.recover.resize(bits.size());
      for (std::size_t i = 0; i < bits.size(); ++i) {
        const std::int64_t width = bits[i];
        add(fmt::format("recovery at {} bits", width),
            [&subject, &result, width, i] { result.recover[i] = measure_recover(subject, width); });
      }
    }
    part("outliers", [&] { result.outliers = measure_outliers(subject); });
    part("mixed", [&] { result.mixed = measure_mixed(subject); });
    part("synthetic",
         [&] { result.synthetic = measure_synthetic(subject.seed(), options_.sample_sizes); });
    add("arms", [&] { result.arms = measure_arms(subject, arms(options_)); });
    part("bits", [&] { result.bits = measure_bits(subject); });
    part("procedure", [&] { result.procedure = measure_procedure(subject); });
    part("calibration-size", [&] { result.calibration_size = measure_calibration_size(subject); });
    part("dynamic", [&] { result.dynamic = measure_dynamic(subject); });
    if (options_.wants("frontier") && trains_widths()) {
      result.frontier.resize(widths.size());
      for (std::size_t w = 0; w < widths.size(); ++w) {
        const Subject& other = *widths[w].subjects[seed];
        add(fmt::format("frontier at width {}", other.decoder().config().dim),
            [&other, &result, w] { result.frontier[w] = measure_frontier(other); });
      }
    }
    if (seed == 0) part("data", [&] { result.data_side = measure_data_side(subject); });
  }

  /// Every part on every seed. After an interruption the seeds of which all jobs had finished.
  std::vector<SeedResult> measure_parts(const std::vector<Width>& widths, train::ModelCache* cache,
                                        Monitor& monitor, Record& record) const {
    const std::size_t seeds = widths.front().subjects.size();
    std::vector<SeedResult> results(seeds);
    std::vector<Job> jobs;
    std::vector<std::size_t> open(seeds, 1);  // jobs that are not finished; 1: not trained
    for (std::size_t s = 0; s < seeds; ++s) {
      const bool trained = std::all_of(widths.begin(), widths.end(), [&](const Width& width) {
        return width.subjects[s].has_value();
      });
      if (!trained) continue;
      const std::size_t before = jobs.size();
      add_jobs(widths, s, cache, results[s], jobs);
      open[s] = jobs.size() - before;
    }
    const auto count = static_cast<Index>(jobs.size());
    monitor.plan(count);
    const auto done = run_jobs<bool>(count, options_.threads, [&](Index i) {
      const Job& job = jobs[static_cast<std::size_t>(i)];
      stop_if_asked(monitor, job.label);
      job.work();
      monitor.finished(job.label);
      return true;
    });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (done[i]) --open[jobs[i].seed];
    }
    std::vector<SeedResult> finished;
    for (std::size_t s = 0; s < seeds; ++s) {
      if (open[s] != 0) continue;
      for (const FinetuneRow& row : results[s].finetune) {
        if (row.trained) {
          add_training_cost(widths.front().decoder, options_.finetune_steps, record);
        }
      }
      finished.push_back(std::move(results[s]));
    }
    note_interruption(static_cast<std::int64_t>(finished.size()), options_.seeds, options_.cache,
                      record);
    return finished;
  }

  /// Takes parameters and sizes from the checkpoint; it must fit the data.
  void load_model() {
    models::DecoderCheckpoint checkpoint = models::load_decoder(options_.model, "--model");
    const models::DecoderConfig& config = checkpoint.config;
    if (config.vocab != data_->vocabulary_size() || config.context < data_->row_length()) {
      throw_input(fmt::format("--model: {} has {} tokens and a context of {}, expected {} tokens "
                              "and a context of at least {} for this corpus",
                              options_.model, config.vocab, config.context,
                              data_->vocabulary_size(), data_->row_length()),
                  "use the --corpus, --tokenizer, --vocab and --context it was trained with");
    }
    options_.seeds = 1;
    options_.layers = config.layers;
    options_.dim = config.dim;
    options_.heads = config.heads;
    options_.bias = config.bias;
    decoder_config_ = config;
    loaded_ = std::move(checkpoint.parameters);
  }

  Options options_;
  Profile profile_ = Profile::quick;
  std::optional<corpus::LanguageData> data_;
  models::DecoderConfig decoder_config_;
  std::optional<Vector<float>> loaded_;  // of --model
};

}  // namespace

}  // namespace quantize

std::unique_ptr<Experiment> make_quantize() { return std::make_unique<quantize::Quantize>(); }

}  // namespace xfq::experiments

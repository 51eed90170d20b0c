// Runs `xfq nsp`: the shared MLM steps and the baselines, then every arm of every seed,
// one record.
#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "../runs.h"
#include "cost.h"
#include "measure.h"
#include "options.h"
#include "record.h"
#include "xfq/core/error.h"
#include "xfq/experiments/nsp.h"

namespace xfq::experiments {

namespace nsp {

namespace {

/// What the first phase yields for one seed.
struct Ground {
  std::string key;  ///< empty: not trained
  train::TrainedEncoder mlm;
};

class Nsp : public Experiment {
 public:
  void describe(OptionTable& table) override { options_.describe(table); }

  void apply_profile(Profile profile) override {
    profile_ = profile;
    options_.apply(profile);
  }

  void check() override {
    options_.check();
    arms_ = arms(options_);
    data_ = corpus::load_pair_data(options_.pair_options());
    const bool stories = options_.corpus == "stories";
    // The contrast is between two designs of stories; a file has but one.
    if (!stories) remove_contrast();
    for (const Arm& arm : arms_) {
      if (arm.contrast) continue;
      for (const corpus::Relation relation : arm.task.classes) data_->require(relation);
    }
    if (options_.contrast != "none" && stories) {
      contrast_ = corpus::load_pair_data(options_.contrast_options());
    }
    load_shifted(stories);
  }

  Record run(Monitor& monitor) override {
    Record record =
        start_record("xfq/nsp/1", 21, "What is next-sentence prediction good for?", profile_);
    record.data.push_back(data_->source());
    if (shifted_) record.data.push_back(shifted_->source());
    if (contrast_) record.data.push_back(contrast_->source());

    bench_ = make_bench(options_, *data_, shifted_ ? &*shifted_ : nullptr,
                        corpus::match_of(options_.match[0]));
    if (contrast_) {
      contrast_bench_ =
          make_bench(options_, *contrast_, nullptr, corpus::match_of(options_.contrast));
    }
    const auto cache = options_.open_cache(monitor);
    const Index seeds = options_.seeds;
    const auto arms = static_cast<Index>(arms_.size());
    monitor.plan(seeds * (arms + 2));

    // Arms of one seed share their first steps. Baselines and the contrast need none of
    // them and fill the pool in the meantime.
    std::vector<Ground> grounds(static_cast<std::size_t>(seeds));
    std::vector<std::optional<BaselineResult>> baselines(static_cast<std::size_t>(seeds));
    JobResults<ArmResult> results(static_cast<std::size_t>(seeds * arms));
    struct Job {
      std::string label;
      std::function<void(const std::string&)> work;
    };
    std::vector<Job> first, second;
    for (Index i = 0; i < seeds; ++i) {
      const auto s = static_cast<std::size_t>(i);
      const std::string seed = fmt::format("seed {}", options_.seed + i);
      first.push_back({seed + " mlm", [&, s, i](const std::string& label) {
                         grounds[s] = train_ground(i, cache.get(), monitor, label);
                       }});
      first.push_back({seed + " words", [&, s, i](const std::string&) {
                         baselines[s] = measure_baselines(
                             options_, bench_, static_cast<std::uint64_t>(options_.seed + i),
                             monitor);
                       }});
      for (Index a = 0; a < arms; ++a) {
        const Arm& arm = arms_[static_cast<std::size_t>(a)];
        (arm.contrast ? first : second)
            .push_back({fmt::format("{} {}", seed, arm.id), [&, s, i, a](const std::string& label) {
                          results[static_cast<std::size_t>(i * arms + a)] =
                              run_arm(arms_[static_cast<std::size_t>(a)], i, grounds[s],
                                      cache.get(), monitor, label);
                        }});
      }
    }
    for (const std::vector<Job>* jobs : {&first, &second}) {
      rethrow_failures(
          train::run_pool(static_cast<Index>(jobs->size()), options_.threads, [&](Index j) {
            const Job& job = (*jobs)[static_cast<std::size_t>(j)];
            job.work(job.label);
            monitor.finished(job.label);
          }));
    }

    std::vector<SeedResult> finished;
    std::int64_t trained_steps = 0;
    for (Index i = 0; i < seeds; ++i) {
      const auto s = static_cast<std::size_t>(i);
      SeedResult seed;
      for (Index a = 0; a < arms; ++a) {
        auto& result = results[static_cast<std::size_t>(i * arms + a)];
        if (!result) break;
        trained_steps += result->trained ? options_.steps : 0;
        seed.arms.push_back(std::move(*result));
      }
      if (static_cast<Index>(seed.arms.size()) < arms || !baselines[s]) continue;
      seed.baseline = std::move(*baselines[s]);
      if (options_.mlm_steps > 0 && !grounds[s].mlm.from_cache) trained_steps += options_.mlm_steps;
      finished.push_back(std::move(seed));
    }
    note_interruption(static_cast<std::int64_t>(finished.size()), seeds, options_.cache, record);

    const models::Encoder encoder(options_.encoder_config(*data_, 2));
    record.cost.tokens = trained_steps * options_.batch_size * data_->row_length();
    record.cost.flops =
        static_cast<double>(record.cost.tokens) * encoder.flops_per_token(data_->row_length());
    fill_record(options_, arms_, bench_, finished, count(options_, *data_), record);
    time_head(options_, *data_, record);
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
  void remove_contrast() {
    arms_.erase(
        std::remove_if(arms_.begin(), arms_.end(), [](const Arm& arm) { return arm.contrast; }),
        arms_.end());
  }

  /// Text of another domain with the words of this one.
  void load_shifted(bool stories) {
    if (options_.shifted_corpus == "none" || (options_.shifted_corpus == "auto" && !stories)) {
      return;
    }
    corpus::PairOptions shifted = options_.pair_options();
    if (options_.shifted_corpus == "auto") {
      shifted.stories.domain = "crossed";
      shifted.documents = 2;
    } else {
      shifted.corpus = options_.shifted_corpus;
    }
    // Rows of the model's length.
    shifted.context = data_->row_length();
    shifted_ = corpus::load_pair_data(shifted, data_->shared_tokenizer());
    shifted_->require(corpus::Relation::random);
  }

  Ground train_ground(Index index, train::ModelCache* cache, Monitor& monitor,
                      const std::string& label) const {
    Ground ground;
    if (options_.mlm_steps == 0) return ground;
    const train::PairTraining training = mlm_training(options_, *data_, index);
    ground.mlm = train::train_encoder(training, models::Encoder(training.model), *data_, cache,
                                      monitor, label);
    ground.key = train::training_key(training, *data_);
    return ground;
  }

  ArmResult run_arm(const Arm& arm, Index index, const Ground& ground, train::ModelCache* cache,
                    Monitor& monitor, const std::string& label) const {
    if (!arm.contrast && options_.mlm_steps > 0 && ground.key.empty()) {
      throw Error(ErrorKind::interrupted, label + ": the steps before it were stopped");
    }
    const corpus::PairData& data = arm.contrast ? *contrast_ : *data_;
    train::PairTraining training = arm_training(options_, arm, data, index);
    const models::Encoder encoder(training.model);
    const models::Encoder start_encoder(options_.encoder_config(data, 2));
    const train::EncoderStart start = {ground.key, &ground.mlm.parameters, &start_encoder, true};
    if (!arm.contrast && options_.mlm_steps > 0) training.start = &start;
    const std::string key = train::training_key(training, data);
    const train::TrainedEncoder model =
        train::train_encoder(training, encoder, data, cache, monitor, label);
    return measure(options_, arm, encoder, model, key, arm.contrast ? contrast_bench_ : bench_,
                   static_cast<std::uint64_t>(options_.seed + index), cache, monitor, label);
  }

  Options options_;
  Profile profile_ = Profile::quick;
  std::vector<Arm> arms_;
  std::optional<corpus::PairData> data_, shifted_, contrast_;
  Bench bench_, contrast_bench_;
};

}  // namespace

}  // namespace nsp

std::unique_ptr<Experiment> make_nsp() { return std::make_unique<nsp::Nsp>(); }

}  // namespace xfq::experiments

// Runs `xfq batch-ppl`: the search for learning rates, the runs of every seed, one record.
#include <fmt/core.h>

#include <optional>
#include <utility>

#include "../runs.h"
#include "measure.h"
#include "options.h"
#include "record.h"
#include "sweep.h"
#include "xfq/experiments/batch_ppl.h"

namespace xfq::experiments {

namespace batch_ppl {

namespace {

class BatchPpl : public Experiment {
 public:
  void describe(OptionTable& table) override { options_.describe(table); }

  void apply_profile(Profile profile) override {
    profile_ = profile;
    options_.apply(profile);
  }

  void check() override {
    options_.check();
    data_ = corpus::load_language_data(options_.language_options());
    options_.check(*data_);
  }

  Record run(Monitor& monitor) override {
    const models::Decoder decoder(options_.decoder_config(*data_));
    Record record =
        start_record("xfq/batch-ppl/1", 22, "How does the batch size move perplexity?", profile_);
    record.data.push_back(data_->source());

    const auto cache = options_.open_cache(monitor);
    Sweep sweep(options_, decoder, *data_, cache.get(), monitor);
    sweep.tune();
    want_final_runs(options_, sweep);
    sweep.run();
    monitor.plan(options_.seeds);
    auto results = run_jobs<SeedResult>(options_.seeds, options_.threads, [&](Index i) {
      SeedResult result = measure(options_, decoder, *data_, sweep, i, cache.get(), monitor);
      monitor.finished(fmt::format("seed {}", result.seed));
      return result;
    });
    const std::vector<SeedResult> seeds = finished(std::move(results), options_.cache, record);

    std::int64_t sequences = sweep.sequences();
    for (const SeedResult& seed : seeds) sequences += seed.sequences;
    record.cost.tokens = sequences * data_->row_length();
    record.cost.flops =
        static_cast<double>(record.cost.tokens) * decoder.flops_per_token(data_->row_length());
    fill_record(options_, *data_, sweep, seeds, time_updates(options_, decoder, *data_), record);
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
  Options options_;
  Profile profile_ = Profile::quick;
  std::optional<corpus::LanguageData> data_;
};

}  // namespace

}  // namespace batch_ppl

std::unique_ptr<Experiment> make_batch_ppl() { return std::make_unique<batch_ppl::BatchPpl>(); }

}  // namespace xfq::experiments

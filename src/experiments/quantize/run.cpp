// Runs `xfq quantize`: models side by side, every arm measured on each, one record.
#include <fmt/core.h>

#include <optional>
#include <utility>

#include "../runs.h"
#include "measure.h"
#include "options.h"
#include "record.h"
#include "xfq/core/error.h"
#include "xfq/experiments/quantize.h"
#include "xfq/models/checkpoint.h"

namespace xfq::experiments {

namespace quantize {

namespace {

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
    const models::Decoder decoder(decoder_config_);
    const std::vector<Arm> arms = quantize::arms(options_);
    quant::Selection selection;
    if (!options_.quantize_head) selection.kind = quant::Selection::Kind::without_head;
    std::vector<quant::Plan> plans;
    std::vector<quant::ModelBytes> bytes;
    for (const Arm& arm : arms) {
      plans.push_back(quant::make_plan(decoder.linears(), arm.setting, selection));
      bytes.push_back(quant::model_bytes(decoder, plans.back()));
    }

    Record record;
    record.schema = "xfq/quantize/1";
    record.question_number = 23;
    record.question_title = "Why INT8 quantization, and how to get the quality back?";
    record.evidence = profile_ != Profile::smoke;
    record.data.push_back(data_->source());

    const auto cache = options_.open_cache(monitor);
    monitor.plan(options_.seeds);
    auto results = run_jobs<SeedResult>(options_.seeds, options_.threads, [&](Index i) {
      const train::LanguageTraining training = options_.training(decoder.config(), i);
      const std::string label = fmt::format("seed {}", training.seed);
      const train::TrainedDecoder model =
          loaded_ ? train::TrainedDecoder{*loaded_, {}, true}
                  : train::train_decoder(training, decoder, *data_, cache.get(), monitor, label);
      SeedResult result =
          measure(options_, decoder, model.parameters, *data_, arms, plans, monitor, label);
      result.seed = training.seed;
      result.trained = !model.from_cache;
      monitor.finished(label);
      return result;
    });
    const std::vector<SeedResult> seeds = finished(std::move(results), record);

    for (const SeedResult& seed : seeds) {
      const auto tokens = options_.steps * options_.batch_size * data_->row_length();
      if (seed.trained) record.cost.tokens += tokens;
    }
    record.cost.flops =
        static_cast<double>(record.cost.tokens) * decoder.flops_per_token(data_->row_length());
    fill_record(arms, bytes, *data_, seeds, record);
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
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

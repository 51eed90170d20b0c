// The model under test, and how far its quantized versions are from it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options.h"
#include "xfq/core/monitor.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/input_moments.h"
#include "xfq/quant/plan.h"
#include "xfq/quant/quality.h"
#include "xfq/quant/weights.h"
#include "xfq/train/language.h"

namespace xfq::experiments::quantize {

/// Rows of the split that hold the first `tokens` predictions (0: all rows).
std::int64_t rows_for(const corpus::LanguageSplit& split, std::int64_t tokens);

/// How a quantized version predicts the sweep tokens; losses and KL in nats per token.
struct Score {
  double nll = 0;
  double delta_nll = 0;  ///< against the fp32 model
  double kl = 0;         ///< mean KL(fp32 || quantized)
  double same_top = 0;
};

/// A plan applied: what runs in place of the fp32 model.
struct Version {
  quant::QuantizedModel model;
  std::unique_ptr<quant::ActivationQuantizer> activations;  ///< none for weights only
};

/// What ranges are found on.
enum class CalibrationText {
  training,       ///< the first rows of the training split
  random_tokens,  ///< tokens drawn uniformly: what is done where no text is at hand
};

class Subject {
 public:
  /// All but `seed` and `parameters` must outlive the subject.
  Subject(const Options& options, const models::Decoder& decoder, const corpus::LanguageData& data,
          Monitor& monitor, std::uint64_t seed, Vector<float> parameters);

  /// Runs fp32 over the sweep tokens: compare() and score() need it.
  void prepare();
  /// Runs fp32 over the calibration tokens: observations() and moments() need it.
  void calibrate();

  const Options& options() const { return *options_; }
  const models::Decoder& decoder() const { return *decoder_; }
  const corpus::LanguageData& data() const { return *data_; }
  Monitor& monitor() const { return *monitor_; }
  std::uint64_t seed() const { return seed_; }
  /// "seed 3", for progress and errors.
  std::string label() const;
  const std::vector<models::LinearSite>& sites() const { return sites_; }
  const Vector<float>& parameters() const { return parameters_; }
  const std::vector<quant::Observation>& observations() const { return observations_; }
  const std::vector<quant::InputMoments>& moments() const { return moments_; }
  /// Of the fp32 model on the sweep tokens.
  double nll() const { return nll_; }

  /// Throws ErrorKind::interrupted when the user asked to stop.
  void stop_if_asked() const;

  /// What the inputs of every product look like in the model of these parameters.
  std::vector<quant::Observation> observe(const Vector<float>& parameters, std::int64_t tokens,
                                          const std::vector<quant::InputTransform>& inputs = {},
                                          CalibrationText text = CalibrationText::training) const;

  /// The plan applied to any parameters of the decoder.
  Version version(const Vector<float>& parameters, const quant::Plan& plan,
                  const std::vector<quant::Observation>& observations,
                  const std::vector<quant::InputMoments>* moments = nullptr) const;
  /// Against the fp32 model on the first `tokens` of the sweep tokens (0: all of them).
  quant::LogitComparison compare(const Vector<float>& parameters,
                                 quant::ActivationQuantizer* activations = nullptr,
                                 std::int64_t tokens = 0) const;
  Score score(const Version& version) const;
  /// Of the plan on the subject's own parameters and observations.
  Score score(const quant::Plan& plan) const;

  /// For one batch of the texts below.
  models::DecoderWorkspace<float> workspace() const;
  /// Calls visit for the first rows of a text that hold `tokens` predictions.
  void for_each_calibration_batch(
      std::int64_t tokens, CalibrationText text,
      const std::function<void(const models::TokenBatch&)>& visit) const;

 private:
  const Options* options_;
  const models::Decoder* decoder_;
  const corpus::LanguageData* data_;
  Monitor* monitor_;
  std::uint64_t seed_;
  Vector<float> parameters_;
  std::vector<models::LinearSite> sites_;
  std::vector<quant::Observation> observations_;
  std::vector<quant::InputMoments> moments_;
  std::vector<Vector<float>> logits_;  // fp32, of every batch of sweep tokens
  double nll_ = 0;
};

Score score_of(const quant::LogitComparison& comparison);

/// Mean over the products of what `activations` measured, dB; none when it measured no error.
std::optional<double> mean_sqnr_db(const quant::ActivationQuantizer& activations);

}  // namespace xfq::experiments::quantize

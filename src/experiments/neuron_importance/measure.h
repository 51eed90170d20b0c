// What is measured on one trained model, in parts that can run side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "options.h"
#include "subject.h"
#include "xfq/importance/ablation.h"
#include "xfq/importance/pruning.h"
#include "xfq/importance/scores.h"

namespace xfq::experiments::neuron_importance {

/// A trained model with its scores: what all other parts start from.
struct Scored {
  std::uint64_t seed = 0;
  bool trained = false;  ///< false: taken from the cache
  Vector<float> parameters;
  importance::Units units;
  importance::ScoreSet set;
  std::vector<float> means;  ///< by column, of the score's text

  std::int64_t number() const { return static_cast<std::int64_t>(seed); }
  const importance::Score* find(const std::string& name) const;
};

/// An entropy under one way of cutting bins.
struct EntropyRow {
  std::string values;  ///< "model", or "normal": made values with every unit's mean and spread
  std::string range;   ///< of the bins, importance::Binning
  std::int64_t bins = 0;
  bool miller_madow = false;
  std::int64_t samples = 0;  ///< values behind every entropy
  std::vector<double> entropies;
};

/// All damages under one replacement.
struct Ablated {
  std::string replacement;
  std::vector<importance::Effect> effects;

  std::vector<double> damage(const std::string& measure, int half = -1) const;
};

struct CurveRow {
  std::string score;
  std::string normalise;  ///< as in the option
  std::string order;      ///< "lowest", "highest", "iterative"
  std::int64_t draw = 0;  ///< of a random order, else 0
  importance::PruningCurve curve;
};

/// Pruned, then fine-tuned.
struct FinetunedRow {
  std::string score;  ///< "none": nothing removed, the control of equal steps
  double fraction = 0;
  double before = 0, after = 0;  ///< loss, nats per token
};

struct UnitRow {
  Index unit = 0;
  bool most = false;  ///< among the most, or the least important
  std::int64_t rank = 0;
  std::vector<std::string> tokens;
};

struct Curves {
  double full_loss = 0;  ///< of the whole model on the pruning text
  std::vector<CurveRow> rows;
};

struct Focus {
  std::vector<CurveRow> curves;  ///< iterative
  std::vector<FinetunedRow> finetuned;
};

/// Everything about one seed.
struct SeedResult {
  Scored scored;
  std::vector<EntropyRow> entropies;
  std::vector<Ablated> ablated;  ///< in the order of --oracle
  Curves curves;
  Focus focus;
  std::vector<UnitRow> units;  ///< most important first, then least important first

  std::int64_t number() const { return scored.number(); }
  const Ablated* find(const std::string& replacement) const;
};

Scored score(const Options& options, const Subject& subject, std::uint64_t seed, TrainedModel model,
             const importance::StopCheck& stop);
std::vector<EntropyRow> measure_entropies(const Options& options, const Subject& subject,
                                          const Scored& scored, const importance::StopCheck& stop);
Ablated ablate(const Options& options, const Subject& subject, const Scored& scored,
               const std::string& replacement, const importance::StopCheck& stop);
/// One-shot, every score in both directions, and random orders.
Curves measure_curves(const Options& options, const Subject& subject, const Scored& scored,
                      const importance::StopCheck& stop);
/// Iterative pruning and fine-tuning of the scores in focus.
Focus measure_focus(const Options& options, const Subject& subject, const Scored& scored,
                    Monitor& monitor, const std::string& label, const importance::StopCheck& stop);
/// The units with the largest and the smallest damage, and what excites them.
std::vector<UnitRow> name_units(const Options& options, const Subject& subject,
                                const Scored& scored, const std::vector<double>& damage,
                                const importance::StopCheck& stop);

/// Scores as a word of --normalise has them, for an order across layers.
std::vector<double> across_layers(const std::string& normalise, const importance::Units& units,
                                  const std::vector<double>& scores);

}  // namespace xfq::experiments::neuron_importance

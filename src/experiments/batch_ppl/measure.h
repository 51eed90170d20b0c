// What is measured on one seed's runs: noise, losses, sharpness, remedies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fit.h"
#include "options.h"
#include "sweep.h"
#include "xfq/train/accumulation.h"
#include "xfq/train/gradient_noise.h"
#include "xfq/train/hessian.h"

namespace xfq::experiments::batch_ppl {

/// Gradient noise after so many updates at the reference batch size.
struct NoisePoint {
  std::int64_t updates = 0;
  double nll = 0;  ///< of the weights themselves, on the part that is reported
  train::GradientNoise::Exact exact;
  train::GradientNoise::TwoBatch two_batch;
  std::vector<train::GradientNoise::Variance> independent, finite;
  std::vector<train::GradientNoise::Cosine> cosines, update_cosines;
};

/// One arm at one batch size under one budget.
struct Cell {
  std::size_t arm = 0;
  std::int64_t batch = 0;
  std::string budget;
  std::int64_t updates = 0;
  double lr = 0, beta2 = 0;
  std::optional<double> nll, train_nll;  ///< none when the run diverged
};

struct TargetPoint {
  std::int64_t batch = 0;
  double lr = 0;
  std::optional<double> updates;  ///< none when the target was not reached
};

struct Sharpness {
  std::int64_t batch = 0;
  double lr = 0;
  std::optional<train::Eigenvalue> eigenvalue;  ///< none when the run diverged
};

/// A way to end a run of the same number of sequences.
struct Remedy {
  std::string name;  ///< constant | halving | growing
  std::int64_t updates = 0;
  std::optional<double> nll;
};

struct Accumulation {
  train::AccumulationCheck check;
  double mean_of_means = 0;
};

struct SeedResult {
  std::uint64_t seed = 0;
  std::vector<NoisePoint> noise;
  std::vector<Cell> cells;
  std::vector<TargetPoint> target;
  std::optional<TradeOff> trade_off;
  /// B_simple where the loss passes the target: linear in the loss between two noise
  /// points; none when the target is not between two.
  std::optional<double> noise_at_target;
  std::vector<Sharpness> sharpness;
  std::vector<Remedy> remedies;
  Accumulation accumulation;
  std::int64_t sequences = 0;  ///< trained on for the remedies
};

/// What the seeds' final runs are, asked of the sweep after its search.
void want_final_runs(const Options& options, Sweep& sweep);

/// Everything of one seed. Throws ErrorKind::interrupted.
SeedResult measure(const Options& options, const models::Decoder& decoder,
                   const corpus::LanguageData& data, const Sweep& sweep, Index seed,
                   train::ModelCache* cache, Monitor& monitor);

/// The median time of a few updates on one thread of this machine.
struct UpdateTime {
  std::int64_t batch = 0;
  double ms = 0;
};
std::vector<UpdateTime> time_updates(const Options& options, const models::Decoder& decoder,
                                     const corpus::LanguageData& data);

}  // namespace xfq::experiments::batch_ppl

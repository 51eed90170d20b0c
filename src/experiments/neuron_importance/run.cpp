// Runs `xfq neuron-importance`: train and score every seed, then ablate, prune and compare, side
// by side.
#include <fmt/core.h>

#include <functional>
#include <memory>
#include <utility>

#include "../runs.h"
#include "agree.h"
#include "measure.h"
#include "options.h"
#include "record.h"
#include "subject.h"
#include "xfq/core/error.h"
#include "xfq/experiments/neuron_importance.h"

namespace xfq::experiments {

namespace neuron_importance {

namespace {

class NeuronImportance : public Experiment {
 public:
  void describe(OptionTable& table) override { options_.describe(table); }

  void apply_profile(Profile profile) override {
    profile_ = profile;
    options_.apply(profile);
  }

  void check() override {
    options_.check();
    subject_ = make_subject(options_);
  }

  Record run(Monitor& monitor) override {
    Record record =
        start_record("xfq/neuron-importance/1", 25,
                     "Which neurons of a Transformer matter, and which score knows it?", profile_);
    record.data.push_back(subject_->source());

    const std::vector<Judged> seeds = measure_seeds(monitor, record);
    for (const Judged& seed : seeds) {
      if (seed.result.scored.trained) record.cost.tokens += subject_->training_tokens(options_);
    }
    record.cost.flops = static_cast<double>(record.cost.tokens) * subject_->flops_per_token();
    fill_record(options_, *subject_, seeds, record);
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
  std::string label(std::int64_t i) const { return fmt::format("seed {}", options_.seed + i); }

  std::vector<Judged> measure_seeds(Monitor& monitor, Record& record) {
    const auto stop_check = [&](std::int64_t i) {
      return [this, &monitor, i] { stop_if_asked(monitor, label(i)); };
    };
    const auto cache = options_.open_cache(monitor);
    const auto parts = static_cast<std::int64_t>(options_.oracle.size()) + 2;
    monitor.plan(options_.seeds * (1 + parts));

    // First all models with their scores, then what needs them; a seed's parts follow each other,
    // so that an interrupted run keeps whole seeds.
    JobResults<Scored> scored = run_jobs<Scored>(options_.seeds, options_.threads, [&](Index i) {
      TrainedModel model = subject_->train(options_, i, cache.get(), monitor, label(i));
      Scored one = score(options_, *subject_, static_cast<std::uint64_t>(options_.seed + i),
                         std::move(model), stop_check(i));
      monitor.finished(label(i));
      return one;
    });

    const JobResults<SeedResult> done =
        run_jobs<SeedResult>(options_.seeds * parts, options_.threads, [&](Index job) {
          const Index i = job / parts;
          const Index part = job % parts;
          const auto& from = scored[static_cast<std::size_t>(i)];
          if (!from) throw Error(ErrorKind::interrupted, label(i) + ": stopped");
          const auto stop = stop_check(i);
          SeedResult out;
          if (part == parts - 1) {
            out.focus = measure_focus(options_, *subject_, *from, monitor, label(i), stop);
          } else if (part == parts - 2) {
            out.curves = measure_curves(options_, *subject_, *from, stop);
            out.entropies = measure_entropies(options_, *subject_, *from, stop);
          } else {
            out.ablated.push_back(ablate(options_, *subject_, *from,
                                         options_.oracle[static_cast<std::size_t>(part)], stop));
          }
          monitor.finished(label(i));
          return out;
        });

    return finished(run_jobs<Judged>(options_.seeds, options_.threads,
                                     [&](Index i) { return judge(scored, done, i, parts); }),
                    options_.cache, record);
  }

  /// Puts a seed together; throws ErrorKind::interrupted when a part of it is missing.
  Judged judge(const JobResults<Scored>& scored, const JobResults<SeedResult>& done, Index i,
               Index parts) const {
    Judged judged;
    SeedResult& seed = judged.result;
    for (Index part = 0; part < parts; ++part) {
      const auto& from = done[static_cast<std::size_t>(i * parts + part)];
      if (!from) throw Error(ErrorKind::interrupted, label(i) + ": stopped");
      const SeedResult& piece = *from;
      seed.ablated.insert(seed.ablated.end(), piece.ablated.begin(), piece.ablated.end());
      if (part == parts - 1) seed.focus = piece.focus;
      if (part == parts - 2) {
        seed.curves = piece.curves;
        seed.entropies = piece.entropies;
      }
    }
    seed.scored = *scored[static_cast<std::size_t>(i)];
    seed.units = name_units(options_, *subject_, seed.scored,
                            seed.ablated.front().damage(options_.oracle_measure), {});
    judged.agreement = agree(options_, seed);
    for (const EntropyRow& row : seed.entropies) {
      judged.entropy.push_back(agree(options_, seed, row));
    }
    return judged;
  }

  Options options_;
  Profile profile_ = Profile::quick;
  std::unique_ptr<Subject> subject_;
};

}  // namespace

}  // namespace neuron_importance

std::unique_ptr<Experiment> make_neuron_importance() {
  return std::make_unique<neuron_importance::NeuronImportance>();
}

}  // namespace xfq::experiments

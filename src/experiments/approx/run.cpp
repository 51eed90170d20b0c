// Runs `xfq approx`: the jobs of all parts and seeds side by side, then one record.
#include <fmt/core.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "../numbers.h"
#include "../runs.h"
#include "options.h"
#include "parts.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/hash.h"
#include "xfq/experiments/approx.h"

namespace xfq::experiments {

namespace approx {

namespace {

class Approx : public Experiment {
 public:
  void describe(OptionTable& table) override { options_.describe(table); }

  void apply_profile(Profile profile) override {
    profile_ = profile;
    options_.apply(profile);
  }

  void check() override {
    options_.check();
    if (!options_.target_file.empty()) file_ = read_target_file(options_.target_file);
  }

  Record run(Monitor& monitor) override {
    Record record = start_record(
        "xfq/approx/1", 24,
        "Why can neural networks represent information of any complexity, and what is gained?",
        profile_);
    if (file_) note_file(record);

    const std::vector<std::unique_ptr<Part>> parts = make_parts();
    struct Slot {
      std::size_t part;
      std::size_t seed;
    };
    std::vector<Job> jobs;
    std::vector<Slot> slots;
    const auto seeds = static_cast<std::size_t>(options_.common.seeds);
    for (std::size_t s = 0; s < seeds; ++s) {
      for (std::size_t p = 0; p < parts.size(); ++p) {
        for (Job& job : parts[p]->jobs(seed_at(s))) {
          jobs.push_back(std::move(job));
          slots.push_back({p, s});
        }
      }
    }

    const auto cache = options_.common.open_cache(monitor);
    monitor.plan(static_cast<std::int64_t>(jobs.size()));
    const auto results = run_jobs<JobNumbers>(
        static_cast<Index>(jobs.size()), options_.common.threads, [&](Index i) {
          const Job& job = jobs[static_cast<std::size_t>(i)];
          JobNumbers numbers = run_job(job, cache.get(), monitor);
          monitor.finished(job.label);
          return numbers;
        });

    // A seed counts for a part when all of its jobs there have finished.
    std::vector<std::vector<SeedNumbers>> numbers(parts.size(), std::vector<SeedNumbers>(seeds));
    std::vector<std::vector<bool>> complete(parts.size(), std::vector<bool>(seeds, true));
    std::int64_t finished_jobs = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Slot& slot = slots[i];
      if (!results[i]) {
        complete[slot.part][slot.seed] = false;
        continue;
      }
      ++finished_jobs;
      for (const auto& [name, number] : results[i]->numbers) {
        if (name != kRows && name != kFlops) {
          numbers[slot.part][slot.seed].numbers[name] = number;
        } else if (!results[i]->from_cache) {
          if (name == kRows) record.cost.tokens += static_cast<std::int64_t>(number);
          if (name == kFlops) record.cost.flops += number;
        }
      }
    }
    note_interruption(finished_jobs, static_cast<std::int64_t>(jobs.size()), options_.common.cache,
                      record);

    std::vector<Text> answers;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      std::vector<SeedNumbers> kept;
      for (std::size_t s = 0; s < seeds; ++s) {
        if (!complete[p][s]) continue;
        kept.push_back(std::move(numbers[p][s]));
        kept.back().seed = seed_at(s);
      }
      if (kept.empty()) continue;
      answers.push_back(parts[p]->fill(kept, monitor, record));
    }
    record.answer = paragraph(answers);
    if (record.answer.empty()) {
      throw_interrupted("all runs of any seed had finished", options_.common.cache);
    }
    warn_few_seeds(seeds, record);
    CommonOptions::note_kernel(record);
    return record;
  }

 private:
  std::uint64_t seed_at(std::size_t s) const {
    return static_cast<std::uint64_t>(options_.common.seed) + s;
  }

  std::vector<std::unique_ptr<Part>> make_parts() const {
    std::vector<std::unique_ptr<Part>> parts;
    const Target* const file = file_ ? &*file_ : nullptr;
    if (options_.wants("nonlinearity")) parts.push_back(make_nonlinearity(options_));
    if (options_.wants("universal")) parts.push_back(make_universal(options_, file));
    if (options_.wants("sequence")) parts.push_back(make_sequence(options_));
    if (options_.wants("parallel")) parts.push_back(make_parallel(options_));
    if (options_.wants("features")) parts.push_back(make_features(options_));
    return parts;
  }

  void note_file(Record& record) const {
    DataSource source;
    source.name = options_.target_file.substr(options_.target_file.rfind('/') + 1);
    source.sha256 = sha256_hex(read_file(options_.target_file, "--target-file"));
    source.documents = file_->file.rows;
    source.tokens = file_->file.rows * (file_->dim + 1);
    record.data.push_back(std::move(source));
  }

  Options options_;
  Profile profile_ = Profile::quick;
  std::optional<Target> file_;
};

}  // namespace

}  // namespace approx

std::unique_ptr<Experiment> make_approx() { return std::make_unique<approx::Approx>(); }

}  // namespace xfq::experiments

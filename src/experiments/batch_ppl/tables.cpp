#include "tables.h"

#include <cmath>

#include "../numbers.h"
#include "derived.h"

namespace xfq::experiments::batch_ppl {

namespace {

using stats::Estimate;
using stats::mean_t;

std::int64_t seed_cell(const SeedResult& seed) { return static_cast<std::int64_t>(seed.seed); }

Table budgets_table(const Options& options, const std::vector<SeedResult>& seeds) {
  Table table{"budgets",
              {"budget", "arm", "batch_size", "updates", "sequences", "lr", "beta2", "nll",
               "nll_lo", "nll_hi", "perplexity", "train_gap", "n"},
              {}};
  const std::vector<Arm> arms = options.arms();
  for (const std::string& budget : options.budget) {
    for (std::size_t a = 0; a < arms.size(); ++a) {
      for (const std::int64_t batch : options.batch_sizes) {
        const Cell& cell = *find_cell(seeds.front(), a, batch, budget);
        const Estimate nll = mean_t(of_seeds(
            seeds, [&](const SeedResult& seed) { return nll_of(seed, a, batch, budget); }));
        const Estimate gap = mean_t(of_seeds(seeds, [&](const SeedResult& seed) {
          const Cell& c = *find_cell(seed, a, batch, budget);
          return difference(c.nll, c.train_nll);
        }));
        const auto perplexity =
            nll.value ? std::optional<double>(std::exp(*nll.value)) : std::nullopt;
        table.rows.push_back(
            {budget, arms[a].id(), batch, cell.updates, cell.updates * batch, cell.lr, cell.beta2,
             experiments::cell(nll.value),
             experiments::cell(nll.ci ? std::optional<double>(nll.ci->lo) : std::nullopt),
             experiments::cell(nll.ci ? std::optional<double>(nll.ci->hi) : std::nullopt),
             experiments::cell(perplexity), experiments::cell(gap.value), nll.n});
      }
    }
  }
  return table;
}

Table runs_table(const Options& options, const std::vector<SeedResult>& seeds) {
  Table table{"runs",
              {"seed", "budget", "arm", "batch_size", "updates", "lr", "beta2", "nll", "train_nll"},
              {}};
  const std::vector<Arm> arms = options.arms();
  for (const SeedResult& seed : seeds) {
    for (const Cell& c : seed.cells) {
      table.rows.push_back({seed_cell(seed), c.budget, arms[c.arm].id(), c.batch, c.updates, c.lr,
                            c.beta2, cell(c.nll), cell(c.train_nll)});
    }
  }
  return table;
}

Table search_table(const Options& options, const Sweep& sweep) {
  Table table{"search", {"batch_size", "beta2", "lr", "budget", "updates", "selection_nll"}, {}};
  for (const Sweep::Tried& tried : sweep.tried()) {
    for (const std::string& budget : options.budget) {
      const std::int64_t updates = sweep.updates(budget, tried.batch);
      const Point* point = tried.trajectory->at(updates);
      table.rows.push_back(
          {tried.batch, tried.beta2, tried.lr, budget, updates,
           cell(point ? std::optional<double>(point->selection_nll) : std::nullopt)});
    }
    const auto reached = updates_to(*tried.trajectory, sweep.target(), &Point::selection_nll);
    if (!reached) continue;
    table.rows.push_back({tried.batch, tried.beta2, tried.lr, kTarget,
                          static_cast<std::int64_t>(std::llround(*reached)), sweep.target()});
  }
  return table;
}

Table trade_off_table(const std::vector<SeedResult>& seeds) {
  Table table{"trade_off", {"seed", "batch_size", "lr", "updates", "sequences", "fitted"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const TargetPoint& point : seed.target) {
      const double batch = static_cast<double>(point.batch);
      const auto sequences =
          point.updates ? std::optional<double>(*point.updates * batch) : std::nullopt;
      const auto fitted = seed.trade_off
                              ? std::optional<double>(seed.trade_off->least_steps *
                                                      (1 + seed.trade_off->critical_batch / batch))
                              : std::nullopt;
      table.rows.push_back({seed_cell(seed), point.batch, point.lr, cell(point.updates),
                            cell(sequences), cell(fitted)});
    }
  }
  return table;
}

void noise_tables(const std::vector<SeedResult>& seeds, Record& record) {
  Table noise{"noise",
              {"seed", "updates", "nll", "trace", "squared_norm", "b_simple", "two_batch",
               "two_batch_lo", "two_batch_hi", "negative_share", "small_batch", "big_batch"},
              {}};
  Table variance{
      "variance", {"seed", "updates", "sampling", "batch_size", "variance", "expected"}, {}};
  Table cosine{"cosine", {"seed", "updates", "direction", "batch_size", "cosine", "expected"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const NoisePoint& p : seed.noise) {
      const auto& two = p.two_batch.b_simple;
      noise.rows.push_back({seed_cell(seed), p.updates, p.nll, p.exact.trace, p.exact.squared_norm,
                            cell(p.exact.b_simple), cell(two.value),
                            cell(two.ci ? std::optional<double>(two.ci->lo) : std::nullopt),
                            cell(two.ci ? std::optional<double>(two.ci->hi) : std::nullopt),
                            p.two_batch.negative_share, p.two_batch.small_batch,
                            p.two_batch.big_batch});
      const auto add_variance = [&](const char* sampling, const auto& points) {
        for (const auto& v : points) {
          variance.rows.push_back(
              {seed_cell(seed), p.updates, std::string(sampling), v.batch, v.variance, v.expected});
        }
      };
      add_variance("with_replacement", p.independent);
      add_variance("without_replacement", p.finite);
      for (const auto& c : p.cosines) {
        cosine.rows.push_back(
            {seed_cell(seed), p.updates, std::string("gradient"), c.batch, c.cosine, c.expected});
      }
      for (const auto& c : p.update_cosines) {
        cosine.rows.push_back({seed_cell(seed), p.updates, std::string("update"), c.batch, c.cosine,
                               cell(std::nullopt)});
      }
    }
  }
  record.tables.push_back(noise);
  record.tables.push_back(variance);
  record.tables.push_back(cosine);
}

Table sharpness_table(const std::vector<SeedResult>& seeds) {
  Table table{"sharpness", {"seed", "batch_size", "lr", "eigenvalue", "residual", "products"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const Sharpness& s : seed.sharpness) {
      if (!s.eigenvalue) continue;
      table.rows.push_back({seed_cell(seed), s.batch, s.lr, s.eigenvalue->value,
                            s.eigenvalue->residual, s.eigenvalue->products});
    }
  }
  return table;
}

Table remedies_table(const std::vector<SeedResult>& seeds) {
  Table table{"remedies", {"seed", "remedy", "updates", "nll"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const Remedy& r : seed.remedies) {
      table.rows.push_back({seed_cell(seed), r.name, r.updates, cell(r.nll)});
    }
  }
  return table;
}

}  // namespace

void fill_tables(const Options& options, const Sweep& sweep, const std::vector<SeedResult>& seeds,
                 Record& record) {
  record.tables.push_back(budgets_table(options, seeds));
  record.tables.push_back(runs_table(options, seeds));
  record.tables.push_back(search_table(options, sweep));
  record.tables.push_back(trade_off_table(seeds));
  noise_tables(seeds, record);
  record.tables.push_back(sharpness_table(seeds));
  record.tables.push_back(remedies_table(seeds));
}

void fill_cost(const Options& options, const Sweep& sweep, const std::vector<UpdateTime>& times,
               Record& record) {
  std::vector<double> batches, ms;
  double reference = 0;
  for (const UpdateTime& time : times) {
    batches.push_back(static_cast<double>(time.batch));
    ms.push_back(time.ms);
    if (time.batch == options.batch_size) reference = time.ms;
  }
  const stats::LinearFit fit = stats::linear_fit(batches, ms);
  Metric metric = exact_metric("update_cost", "gradients of one sequence", Better::none, 0);
  metric.value.reset();
  if (fit.slope.value && *fit.slope.value > 0) {
    metric.value = *fit.intercept.value / *fit.slope.value;
  } else {
    metric.reason = "the time of an update does not grow with the batch";
  }
  record.cost.measurements.push_back(metric);

  // What the budget `time` would have been by the clock of this machine.
  const double budget =
      reference * static_cast<double>(options.sequences) / static_cast<double>(options.batch_size);
  Table table{
      "updates",
      {"batch_size", "ms_per_update", "ms_per_sequence", "updates_counted", "updates_measured"},
      {}};
  for (const UpdateTime& time : times) {
    table.rows.push_back({time.batch, time.ms, time.ms / static_cast<double>(time.batch),
                          sweep.updates("time", time.batch),
                          static_cast<std::int64_t>(std::llround(budget / time.ms))});
  }
  record.cost.tables.push_back(table);
}

}  // namespace xfq::experiments::batch_ppl

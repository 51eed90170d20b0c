#include "parts.h"

#include "../numbers.h"
#include "xfq/core/error.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::approx {

double SeedNumbers::at(const std::string& name) const {
  const auto it = numbers.find(name);
  if (it == numbers.end()) throw_run("no job has yielded '" + name + "'");
  return it->second;
}

std::vector<double> over(const std::vector<SeedNumbers>& seeds, const std::string& name) {
  std::vector<double> values;
  for (const SeedNumbers& seed : seeds) values.push_back(seed.at(name));
  return values;
}

void add_metric(const std::string& id, const std::string& unit, Better better,
                const std::vector<double>& values, Record& record) {
  record.metrics.push_back(make_metric(id, unit, better, stats::mean_t(values)));
}

}  // namespace xfq::experiments::approx

#include "functions.h"

#include <fmt/core.h>

#include "xfq/core/error.h"

namespace xfq::experiments::approx {

namespace {

std::string name_of(const std::string& id, Index place) {
  return fmt::format("{}.at.{:03}", id, place);
}

}  // namespace

Samples drawing_grid(double lo, double hi, Index cells) {
  Samples grid;
  grid.dim = 1;
  grid.rows = cells + 1;
  for (Index i = 0; i <= cells; ++i) {
    grid.x.push_back(lo + (hi - lo) * static_cast<double>(i) / static_cast<double>(cells));
  }
  return grid;
}

void keep_function(const std::string& id, const Fit& trained, const Samples& grid,
                   Numbers& numbers) {
  const std::vector<double> values = trained.predictions(grid);
  for (Index i = 0; i < grid.rows; ++i) {
    numbers[name_of(id, i)] = values[static_cast<std::size_t>(i)];
  }
}

std::vector<double> kept_function(const std::string& id, const Samples& grid,
                                  const Numbers& numbers) {
  std::vector<double> values;
  for (Index i = 0; i < grid.rows; ++i) {
    const auto found = numbers.find(name_of(id, i));
    if (found == numbers.end()) throw_run("no job has kept the function '" + id + "'");
    values.push_back(found->second);
  }
  return values;
}

}  // namespace xfq::experiments::approx

#include "jobs.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/core/value.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments::approx {

namespace {

constexpr const char* kPrefix = "number.";

std::string key_of(const Job& job) {
  Hasher h;
  // Raise the number when the same identity comes to mean other numbers.
  h.add("approx/1");
  // Every float implementation gives the same bits but Eigen's gemm.
  h.add(kernels::selected() == "eigen" ? "eigen" : "exact");
  h.add(job.identity);
  return h.hex();
}

models::TensorFile to_file(const Numbers& numbers) {
  models::TensorFile file;
  for (const auto& [name, number] : numbers) {
    file.metadata.emplace_back(kPrefix + name, to_text(number));
  }
  return file;
}

/// Throws ErrorKind::input on an entry that is none of ours.
Numbers to_numbers(const models::TensorFile& file, const std::string& where) {
  const std::string prefix = kPrefix;
  Numbers numbers;
  for (const auto& [name, text] : file.metadata) {
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    double number = 0;
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, number).ptr != end || text.empty()) {
      throw_input(fmt::format("{}: '{}' is not a number", where, text));
    }
    numbers[name.substr(prefix.size())] = number;
  }
  if (numbers.empty()) throw_input(where + ": there are no numbers in it");
  return numbers;
}

}  // namespace

JobNumbers run_job(const Job& job, train::ModelCache* cache, Monitor& monitor) {
  JobNumbers result;
  if (cache == nullptr) {
    result.numbers = job.run(monitor);
    return result;
  }
  const std::string key = key_of(job);
  const train::ModelCache::Lock lock = cache->lock(key);
  const auto use = [&](const models::TensorFile& file) {
    result.numbers = to_numbers(file, cache->path(key));
  };
  if (cache->load(key, use)) {
    result.from_cache = true;
    return result;
  }
  result.numbers = job.run(monitor);
  cache->store(key, to_file(result.numbers));
  return result;
}

}  // namespace xfq::experiments::approx

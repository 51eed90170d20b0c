#include "targets.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string_view>

#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/options.h"
#include "xfq/core/random.h"

namespace xfq::experiments::approx {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr const char* kForms =
    "sine, runge, step, sawtooth:K, weierstrass, square, product, ball:D, barron:D, "
    "single-index:D, xor, spiral";
constexpr Index kGrid = 2048;
constexpr Index kGridSide = 64;
constexpr Index kDraws = 4096;
constexpr std::int64_t kMostTeeth = 16;
constexpr std::int64_t kMostDimensions = 64;
constexpr Index kSmallestFile = 20;

struct Name {
  std::string form;
  std::optional<std::int64_t> number;
};

Name split_name(const std::string& name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return {name, std::nullopt};
  Name parts{name.substr(0, colon), 0};
  const char* const begin = name.data() + colon + 1;
  const char* const end = name.data() + name.size();
  const auto result = std::from_chars(begin, end, *parts.number);
  if (begin == end || result.ptr != end || result.ec != std::errc()) parts.number = -1;
  return parts;
}

/// The number behind the colon, which this form needs.
std::int64_t number_of(const Name& parts, const std::string& name, std::int64_t lo,
                       std::int64_t hi) {
  if (!parts.number || *parts.number < lo || *parts.number > hi) {
    throw_usage(fmt::format("--target: got '{}', expected {}:N with N from {} to {}", name,
                            parts.form, lo, hi));
  }
  return *parts.number;
}

std::vector<double> unit_vector(Stream& stream, Index dim) {
  std::vector<double> w(static_cast<std::size_t>(dim));
  double squares = 0;
  for (double& value : w) {
    value = stream.normal();
    squares += value * value;
  }
  for (double& value : w) value /= std::sqrt(squares);
  return w;
}

double dot(const std::vector<double>& w, const double* x) {
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) sum += w[i] * x[i];
  return sum;
}

double sum_squares(const double* x, Index dim) {
  double sum = 0;
  for (Index i = 0; i < dim; ++i) sum += x[i] * x[i];
  return sum;
}

double tent(double x) { return x < 0.5 ? 2 * x : 2 - 2 * x; }

/// A mean of many ridges cos(w x + b): a finite sum has a finite Barron norm.
std::function<double(const double*)> barron(Stream& stream, Index dim) {
  constexpr int kRidges = 64;
  struct Ridge {
    std::vector<double> w;
    double b;
  };
  auto ridges = std::make_shared<std::vector<Ridge>>();
  for (int i = 0; i < kRidges; ++i) {
    Ridge ridge;
    for (Index d = 0; d < dim; ++d) ridge.w.push_back(stream.normal());
    ridge.b = 2 * kPi * stream.uniform();
    ridges->push_back(std::move(ridge));
  }
  return [ridges](const double* x) {
    double sum = 0;
    for (const Ridge& ridge : *ridges) sum += std::cos(dot(ridge.w, x) + ridge.b);
    return sum * std::sqrt(2.0 / kRidges);
  };
}

double spiral(const double* x) {
  const double radius = std::sqrt(sum_squares(x, 2));
  return std::sin(std::atan2(x[1], x[0]) + 2 * kPi * radius) > 0 ? 1 : 0;
}

double weierstrass(double x) {
  double sum = 0, amplitude = 1, frequency = kPi;
  for (int j = 0; j < 8; ++j) {
    sum += amplitude * std::cos(frequency * x);
    amplitude *= 0.5;
    frequency *= 3;
  }
  return sum;
}

}  // namespace

Samples first_rows(const Samples& samples, Index rows) {
  Samples some;
  some.dim = samples.dim;
  some.rows = std::min(rows, samples.rows);
  some.x.assign(samples.x.begin(), samples.x.begin() + some.rows * some.dim);
  some.y.assign(samples.y.begin(), samples.y.begin() + some.rows);
  return some;
}

Target make_target(const std::string& name, std::uint64_t seed) {
  const Name parts = split_name(name);
  Target target;
  target.name = name;
  const std::string& form = parts.form;
  Stream stream(seed, "approx.target." + name);
  if (form == "sawtooth") {
    const std::int64_t k = number_of(parts, name, 1, kMostTeeth);
    target.lo = 0;
    target.value = [k](const double* x) {
      double y = *x;
      for (std::int64_t i = 0; i < k; ++i) y = tent(y);
      return y;
    };
    return target;
  }
  if (form == "ball" || form == "barron" || form == "single-index") {
    target.dim = number_of(parts, name, 1, kMostDimensions);
    const Index dim = target.dim;
    if (form == "barron") {
      target.value = barron(stream, dim);
      return target;
    }
    target.domain = Domain::normal;
    if (form == "ball") {
      // Near the median of chi-squared with dim degrees of freedom: both classes are common.
      const double limit = std::max(0.45, static_cast<double>(dim) - 2.0 / 3);
      target.value = [dim, limit](const double* x) { return sum_squares(x, dim) < limit ? 1 : 0; };
    } else {
      target.value = [w = unit_vector(stream, dim)](const double* x) {
        return std::sin(2 * dot(w, x));
      };
    }
    return target;
  }
  if (parts.number) {
    throw_usage(fmt::format("--target: got '{}', expected one of {}", name, kForms));
  }
  if (form == "sine") {
    target.value = [](const double* x) { return std::sin(2 * kPi * *x); };
  } else if (form == "runge") {
    target.value = [](const double* x) { return 1 / (1 + 25 * *x * *x); };
  } else if (form == "step") {
    target.value = [](const double* x) { return *x > 0 ? 1 : 0; };
  } else if (form == "weierstrass") {
    target.value = [](const double* x) { return weierstrass(*x); };
  } else if (form == "square") {
    target.lo = 0;
    target.value = [](const double* x) { return *x * *x; };
  } else if (form == "product") {
    target.lo = 0;
    target.dim = 2;
    target.value = [](const double* x) { return x[0] * x[1]; };
  } else if (form == "xor") {
    target.dim = 2;
    target.value = [](const double* x) { return (x[0] > 0) != (x[1] > 0) ? 1 : 0; };
  } else if (form == "spiral") {
    target.dim = 2;
    target.value = spiral;
  } else {
    const std::string near =
        nearest_name(form, {"sine", "runge", "step", "sawtooth", "weierstrass", "square", "product",
                            "ball", "barron", "single-index", "xor", "spiral"});
    throw_usage(fmt::format("--target: got '{}', expected one of {}", name, kForms),
                near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  return target;
}

namespace {

std::optional<std::vector<double>> numbers_of(std::string_view line) {
  std::vector<double> numbers;
  while (true) {
    const std::size_t comma = line.find(',');
    std::string_view word = line.substr(0, comma);
    while (!word.empty() && (word.front() == ' ' || word.front() == '\t')) word.remove_prefix(1);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.remove_suffix(1);
    double number = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || result.ec != std::errc() || result.ptr != word.data() + word.size() ||
        !std::isfinite(number)) {
      return std::nullopt;
    }
    numbers.push_back(number);
    if (comma == std::string_view::npos) return numbers;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

Target read_target_file(const std::string& path) {
  const std::string text = read_file(path, "--target-file", std::size_t{1} << 28);
  const auto refuse = [&](std::int64_t line, const std::string& what) {
    throw_input(fmt::format("--target-file: {} line {}: {}", path, line, what),
                "write one row a line, numbers with commas between, inputs first and y last");
  };
  Target target;
  target.name = "file";
  std::int64_t line_number = 0;
  std::size_t columns = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    ++line_number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    const auto numbers = numbers_of(line);
    if (!numbers) {
      if (line_number == 1) continue;  // a heading
      refuse(line_number, "expected finite numbers with commas between");
    }
    if (columns == 0) columns = numbers->size();
    if (numbers->size() < 2) refuse(line_number, "got 1 column, expected inputs and an output");
    if (numbers->size() != columns) {
      refuse(line_number, fmt::format("got {} columns, expected {}", numbers->size(), columns));
    }
    target.file.x.insert(target.file.x.end(), numbers->begin(), numbers->end() - 1);
    target.file.y.push_back(numbers->back());
  }
  target.file.rows = static_cast<Index>(target.file.y.size());
  if (target.file.rows < kSmallestFile) {
    throw_input(fmt::format("--target-file: {} has {} rows, expected at least {}", path,
                            target.file.rows, kSmallestFile),
                "use a larger file");
  }
  target.dim = target.file.dim = static_cast<Index>(columns) - 1;
  return target;
}

namespace {

/// Part of a file: whole rows, in an order drawn from the seed.
Samples file_rows(const Target& target, std::uint64_t seed, bool judging, Index most) {
  std::vector<Index> order(static_cast<std::size_t>(target.file.rows));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
  Stream(seed, "approx.file").shuffle(order);
  const Index split = target.file.rows * 4 / 5;
  const Index begin = judging ? split : 0;
  const Index end = judging ? target.file.rows : std::min(split, most);
  Samples samples;
  samples.dim = target.dim;
  for (Index i = begin; i < end; ++i) {
    const Index row = order[static_cast<std::size_t>(i)];
    samples.x.insert(samples.x.end(), target.file.row(row), target.file.row(row) + target.dim);
    samples.y.push_back(target.file.y[static_cast<std::size_t>(row)]);
  }
  samples.rows = end - begin;
  return samples;
}

Samples drawn(const Target& target, Stream stream, Index rows) {
  Samples samples;
  samples.dim = target.dim;
  samples.rows = rows;
  for (Index i = 0; i < rows * target.dim; ++i) {
    samples.x.push_back(target.domain == Domain::normal
                            ? stream.normal()
                            : target.lo + (target.hi - target.lo) * stream.uniform());
  }
  for (Index r = 0; r < rows; ++r) samples.y.push_back(target.value(samples.row(r)));
  return samples;
}

}  // namespace

Samples training_samples(const Target& target, std::uint64_t seed, Index rows) {
  if (target.from_file()) return file_rows(target, seed, false, rows);
  return drawn(target, Stream(seed, "approx.samples." + target.name), rows);
}

Samples judging_samples(const Target& target, std::uint64_t seed) {
  if (target.from_file()) return file_rows(target, seed, true, 0);
  if (target.domain == Domain::normal || target.dim > 2) {
    return drawn(target, Stream(seed, "approx.judging." + target.name), kDraws);
  }
  Samples samples;
  samples.dim = target.dim;
  const Index side = target.dim == 1 ? kGrid : kGridSide;
  const auto at = [&](Index i) {
    return target.lo +
           (target.hi - target.lo) * (static_cast<double>(i) + 0.5) / static_cast<double>(side);
  };
  for (Index i = 0; i < side; ++i) {
    if (target.dim == 1) {
      samples.x.push_back(at(i));
      continue;
    }
    for (Index j = 0; j < side; ++j) {
      samples.x.push_back(at(i));
      samples.x.push_back(at(j));
    }
  }
  samples.rows = static_cast<Index>(samples.x.size()) / target.dim;
  for (Index r = 0; r < samples.rows; ++r) samples.y.push_back(target.value(samples.row(r)));
  return samples;
}

}  // namespace xfq::experiments::approx

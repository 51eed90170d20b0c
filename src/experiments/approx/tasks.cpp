#include "tasks.h"

#include <algorithm>
#include <numeric>

#include "xfq/core/error.h"

namespace xfq::experiments::approx {

namespace {
constexpr std::size_t kOffset = 2;
}

const std::vector<std::string>& task_names() {
  static const std::vector<std::string> names = {"reverse", "sort",   "sum",  "parity",
                                                 "copy",    "recall", "count"};
  return names;
}

Index TaskConfig::time() const { return task == "recall" ? (length - 1) / 2 * 2 + 1 : length; }

Index TaskConfig::vocab() const { return std::max(2 * symbols, length); }

Index TaskConfig::asked_per_sequence() const { return task == "recall" ? 1 : time(); }

TaskBatch draw_task(const TaskConfig& config, Index batch, Stream& stream) {
  const std::size_t time = static_cast<std::size_t>(config.time());
  const auto symbols = static_cast<std::int32_t>(config.symbols);
  const auto draw = [&](std::int32_t below) {
    return static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(below)));
  };
  TaskBatch result;
  std::vector<std::int32_t> x(time), y(time);
  for (Index b = 0; b < batch; ++b) {
    if (config.task == "recall") {
      std::vector<std::int32_t> keys(static_cast<std::size_t>(symbols));
      std::iota(keys.begin(), keys.end(), 0);
      stream.shuffle(keys);
      const std::size_t pairs = time / 2;
      for (std::size_t i = 0; i < pairs; ++i) {
        x[2 * i] = keys[i];
        x[2 * i + 1] = symbols + draw(symbols);
      }
      const std::size_t asked = stream.below(pairs);
      x[time - 1] = keys[asked];
      std::fill(y.begin(), y.end(), -1);
      y[time - 1] = x[2 * asked + 1];
    } else {
      const std::int32_t values = config.task == "parity" ? 2 : symbols;
      for (std::int32_t& token : x) token = draw(values);
      if (config.task == "sum" || config.task == "parity") {
        std::int32_t sum = 0;
        for (std::size_t t = 0; t < time; ++t) y[t] = sum = (sum + x[t]) % values;
      } else if (config.task == "sort") {
        y = x;
        std::sort(y.begin(), y.end());
      } else if (config.task == "reverse") {
        std::reverse_copy(x.begin(), x.end(), y.begin());
      } else if (config.task == "copy") {
        for (std::size_t t = 0; t < time; ++t) y[(t + kOffset) % time] = x[t];
      } else {
        XFQ_ASSERT(config.task == "count");
        for (std::size_t t = 0; t < time; ++t) {
          y[t] = static_cast<std::int32_t>(std::count(x.begin(), x.end(), x[t])) - 1;
        }
      }
    }
    result.tokens.insert(result.tokens.end(), x.begin(), x.end());
    result.targets.insert(result.targets.end(), y.begin(), y.end());
  }
  return result;
}

}  // namespace xfq::experiments::approx

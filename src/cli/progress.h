// The progress line on standard error.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "xfq/core/monitor.h"

namespace xfq::cli {

/// On a terminal, one line that rewrites itself at most ten times a second; else
/// nothing. `say` prints a line unless quiet. Used by many threads at once.
class Progress : public Monitor {
 public:
  explicit Progress(bool quiet);
  ~Progress() override;

  bool stop_requested() const override;
  void plan(std::int64_t runs) override;
  void progress(const std::string& label, std::int64_t step, std::int64_t steps,
                double loss) override;
  void finished(const std::string& label) override;
  void say(const std::string& text) override;

  /// Removes the line; called before anything else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void draw(const std::string& text);

  const bool quiet_;
  const bool live_;
  std::mutex mutex_;
  std::int64_t planned_ = 0;
  std::int64_t done_ = 0;
  std::map<std::string, double> active_;  ///< label -> share done
  Clock::time_point start_;
  Clock::time_point next_draw_;
  std::size_t drawn_ = 0;  ///< characters on the line now
  bool told_to_stop_ = false;
};

/// "run 2/6  seed 3  step 340/600  loss 2.3456  ETA 12 s"; `loss` may be NaN,
/// `eta_s` negative for unknown. At most `width` characters.
std::string progress_text(std::int64_t run, std::int64_t runs, const std::string& label,
                          std::int64_t step, std::int64_t steps, double loss, double eta_s,
                          int width);

}  // namespace xfq::cli

// The progress line on standard error.
#include "progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "signals.h"
#include "streams.h"

namespace xfq::cli {

namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace

std::string progress_text(std::int64_t run, std::int64_t runs, const std::string& label,
                          std::int64_t step, std::int64_t steps, double loss, double eta_s,
                          int width) {
  std::string text;
  if (runs > 0) text += fmt::format("run {}/{}  ", std::min(run, runs), runs);
  text += fmt::format("{}  step {}/{}", label, step, steps);
  if (!std::isnan(loss)) text += fmt::format("  loss {:.4f}", loss);
  if (eta_s >= 0) text += "  ETA " + duration_text(eta_s);
  // The last column stays free: some terminals wrap when it is written.
  const auto room = static_cast<std::size_t>(std::max(width - 1, 0));
  if (text.size() > room) text.resize(room);
  return text;
}

Progress::Progress(bool quiet)
    : quiet_(quiet), live_(!quiet && stderr_terminal().live), start_(Clock::now()) {}

Progress::~Progress() { clear(); }

bool Progress::stop_requested() const { return cli::stop_requested(); }

void Progress::plan(std::int64_t runs) {
  const std::lock_guard<std::mutex> lock(mutex_);
  planned_ += runs;
}

void Progress::progress(const std::string& label, std::int64_t step, std::int64_t steps,
                        double loss) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!live_) return;
  active_[label] =
      steps > 0 ? std::min(1.0, static_cast<double>(step) / static_cast<double>(steps)) : 0.0;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + std::chrono::milliseconds(100);
  if (cli::stop_requested() && !told_to_stop_) {
    told_to_stop_ = true;
    draw("");
    write_stderr("xfq: stopping; once more to quit at once\n");
  }

  double share = static_cast<double>(done_);
  for (const auto& [name, part] : active_) share += part;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  double eta_s = -1;
  if (planned_ > 0 && elapsed > 1 && share > 0) {
    eta_s = std::max(0.0, elapsed * (static_cast<double>(planned_) - share) / share);
  }
  draw(progress_text(done_ + 1, planned_, label, step, steps, loss, eta_s, stderr_width()));
}

void Progress::finished(const std::string& label) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++done_;
  active_.erase(label);
}

void Progress::say(const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (quiet_) return;
  draw("");
  say_line("note", text);
}

void Progress::clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  draw("");
}

void Progress::draw(const std::string& text) {
  if (text.empty() && drawn_ == 0) return;
  // Blanks instead of an erase sequence: every terminal knows them.
  const std::size_t blanks = drawn_ > text.size() ? drawn_ - text.size() : 0;
  std::string line = "\r" + text + std::string(blanks, ' ');
  if (text.empty()) line += '\r';
  write_stderr(line);
  drawn_ = text.size();
}

}  // namespace xfq::cli

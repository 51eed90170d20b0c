// Where a result was made and what it cost.
#include "environment.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>

#include "build_info.h"

namespace xfq::cli {

namespace {

std::string compiler_text() {
#if defined(__clang__)
  return fmt::format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string os_text() {
  struct utsname name = {};
  if (::uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

double seconds(const struct timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

struct rusage usage() {
  struct rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  return used;
}

double cpu_seconds() {
  const struct rusage used = usage();
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

std::string version_number() { return kBuildVersion; }

std::string version_text() {
  const std::string git = kBuildGit;
  return git.empty() ? std::string(kBuildVersion) : fmt::format("{} ({})", kBuildVersion, git);
}

std::vector<std::pair<std::string, Value>> complete_environment(
    const std::vector<std::pair<std::string, Value>>& known, std::int64_t threads) {
  const std::string git = kBuildGit;
  std::vector<std::pair<std::string, Value>> out = {{"version", std::string(kBuildVersion)},
                                                    {"git", git.empty() ? Value() : Value(git)},
                                                    {"compiler", compiler_text()},
                                                    {"flags", std::string(kBuildFlags)},
                                                    {"isa", std::string(kBuildIsa)},
                                                    {"kernel", Value()},
                                                    {"threads", threads},
                                                    {"os", os_text()}};
  for (const auto& [key, value] : known) {
    const auto place = std::find_if(out.begin(), out.end(),
                                    [&key = key](const auto& pair) { return pair.first == key; });
    if (place == out.end()) {
      out.emplace_back(key, value);
    } else {
      place->second = value;
    }
  }
  // An experiment without kernels has no entry at all; git may be null.
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](const auto& pair) {
                             return pair.first == "kernel" &&
                                    std::holds_alternative<std::monostate>(pair.second);
                           }),
            out.end());
  return out;
}

Stopwatch::Stopwatch() : wall_(std::chrono::steady_clock::now()), cpu_s_(cpu_seconds()) {}

void Stopwatch::fill(Cost& cost) const {
  cost.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
  cost.cpu_s = cpu_seconds() - cpu_s_;
  cost.peak_rss_bytes = static_cast<std::int64_t>(usage().ru_maxrss) * 1024;  // Linux: KiB
}

}  // namespace xfq::cli

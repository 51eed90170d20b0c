// What the benchmarks share: CPU time of the calling thread, and the median.
#pragma once

#include <time.h>

#include <algorithm>
#include <vector>

namespace xfq::bench {

/// In CPU time, because another program on the same core must not count.
inline double cpu_seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace xfq::bench

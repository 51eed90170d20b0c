// How long work reports its progress and learns that it should stop.
// Implementations are called from several threads at once.
#pragma once

#include <cstdint>
#include <string>

namespace xfq {

class Monitor {
 public:
  virtual ~Monitor() = default;

  /// True once the user asked to stop; work then throws ErrorKind::interrupted
  /// at its next step.
  virtual bool stop_requested() const { return false; }
  /// `runs` more runs will follow.
  virtual void plan(std::int64_t /*runs*/) {}
  /// Run `label` is at `step` of `steps`; `loss` in nats per token, or NaN.
  virtual void progress(const std::string& /*label*/, std::int64_t /*step*/, std::int64_t /*steps*/,
                        double /*loss*/) {}
  /// One planned run has ended.
  virtual void finished(const std::string& /*label*/) {}
  /// A sentence for the user, on stderr.
  virtual void say(const std::string& /*text*/) {}
};

}  // namespace xfq

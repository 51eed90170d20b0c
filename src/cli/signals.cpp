// SIGINT and SIGTERM: the first asks to stop, the second ends the program.
#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace xfq::cli {

namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may only touch lock-free flags");

void handle(int /*signal*/) {
  if (g_stop.exchange(true)) _exit(130);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

bool stop_requested() { return g_stop.load(); }

}  // namespace xfq::cli

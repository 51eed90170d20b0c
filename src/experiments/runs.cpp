#include "runs.h"

#include <fmt/core.h>

namespace xfq::experiments {

Record start_record(const char* schema, int question_number, const char* question_title,
                    Profile profile) {
  Record record;
  record.schema = schema;
  record.question_number = question_number;
  record.question_title = question_title;
  record.evidence = profile != Profile::smoke;
  return record;
}

void stop_if_asked(const Monitor& monitor, const std::string& label) {
  if (monitor.stop_requested()) throw Error(ErrorKind::interrupted, label + ": stopped");
}

void rethrow_failures(const std::vector<std::exception_ptr>& failures) {
  for (const std::exception_ptr& failure : failures) {
    if (!failure) continue;
    try {
      std::rethrow_exception(failure);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) throw;
    }
  }
}

namespace {

/// What a second try begins with.
Text again(bool cache) {
  return cache ? "run the same command again; finished models come from the cache"
               : "run the same command again, without --no-cache so that finished models are kept";
}

}  // namespace

void throw_interrupted(const std::string& what, bool cache) {
  throw Error(ErrorKind::interrupted, "interrupted before " + what, again(cache).english());
}

void note_interruption(std::int64_t finished, std::int64_t planned, bool cache, Record& record) {
  if (finished == planned) return;
  if (finished == 0) throw_interrupted("any run had finished", cache);
  record.warnings.push_back(
      {"interrupted", phrase("{} of {} runs had finished", {finished, planned}), again(cache)});
}

}  // namespace xfq::experiments

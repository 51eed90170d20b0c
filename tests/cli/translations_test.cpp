// What commands and options do is said in every language.
#include "catch.h"
#include "commands.h"
#include "xfq/core/text.h"
#include "xfq/experiments/experiment.h"

namespace xfq::cli {

TEST_CASE("every command and option has its Chinese text") {
  for (const CommandHelp& command : all_commands(experiments::registry())) {
    INFO("xfq " + command.name + ": add to data/text/zh.po");
    INFO("msgid \"" + command.summary + "\"");
    CHECK(Text(command.summary).translated());
    for (const HelpOption& option : command.options) {
      INFO(option.flag + ": msgid \"" + option.help + "\"");
      CHECK(Text(option.help).translated());
    }
  }
}

}  // namespace xfq::cli

// The house rules that a reader of the sources can check: who may include whom,
// which header lives where, no printing in libraries, one source of randomness.
// They are data in rules.cpp; the room table is read from src/README.md.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace layers {

/// One broken rule.
struct Finding {
  std::string rule;  ///< "room", "header", "print", ...
  std::string file;  ///< relative to the root
  std::size_t line;  ///< from 1; 0 when it concerns the whole file
  std::string what;
};

/// One row of the room table, in the table's order.
struct Room {
  std::string name;
  std::vector<std::string> may_include;
};

/// The table under "## Rooms" in src/README.md. Throws std::runtime_error when
/// there is none.
std::vector<Room> read_rooms(const std::filesystem::path& root);

/// Holds every source file under `root` against every rule.
std::vector<Finding> check_tree(const std::filesystem::path& root);

/// The text with the contents of comments and, on request, of string and
/// character literals replaced by blanks; lines stay where they are.
std::string blank_comments(const std::string& text, bool literals_too);

/// "file:line: rule: what", one a line.
std::string to_text(const std::vector<Finding>& findings);

}  // namespace layers

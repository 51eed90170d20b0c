// Holds this project's own sources against the rules of rules.cpp.
#include "catch.h"
#include "rules.h"

TEST_CASE("the sources keep the house rules") {
  const std::vector<layers::Finding> findings = layers::check_tree(XFQ_SOURCE_DIR);
  INFO(layers::to_text(findings));
  CHECK(findings.empty());
}

// That the reader sees the sources at all.
TEST_CASE("the table names the rooms that exist") {
  const std::filesystem::path root = XFQ_SOURCE_DIR;
  const std::vector<layers::Room> rooms = layers::read_rooms(root);
  CHECK(rooms.size() >= 11);
  for (const layers::Room& room : rooms) {
    INFO(room.name);
    CHECK((std::filesystem::is_directory(root / "src" / room.name) ||
           std::filesystem::is_directory(root / "include/xfq" / room.name)));
  }
}

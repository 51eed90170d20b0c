// The lists that must name the same experiments: the written registry, the
// folders, the schemas, the tests, and README's map.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "catch.h"
#include "xfq/experiments/experiment.h"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = XFQ_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();  // empty when the file is missing, which fails what looks into it
}

// "batch-ppl" -> "batch_ppl": folders and files have no hyphens.
std::string folder_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::set<std::string> registered() {
  std::set<std::string> names;
  for (const xfq::experiments::Entry& entry : xfq::experiments::registry()) {
    names.insert(entry.name);
  }
  return names;
}

}  // namespace

TEST_CASE("the registry names each experiment and question once") {
  std::set<std::string> names;
  std::set<std::int64_t> questions;
  for (const xfq::experiments::Entry& entry : xfq::experiments::registry()) {
    INFO(entry.name);
    CHECK(names.insert(entry.name).second);
    CHECK(questions.insert(entry.question_number).second);
    CHECK_FALSE(entry.summary.empty());
    CHECK_FALSE(entry.examples.empty());
    CHECK(entry.make() != nullptr);
  }
  CHECK_FALSE(names.empty());
}

TEST_CASE("each experiment has its folder, README, schema, test and row in README's map") {
  const std::string readme = read(kRoot / "README.md");
  for (const std::string& name : registered()) {
    INFO(name);
    const std::string folder = folder_name(name);
    CHECK(fs::is_regular_file(kRoot / "src/experiments" / folder / "README.md"));
    const std::string schema = read(kRoot / "data/schema" / (name + ".schema.json"));
    CHECK(schema.find("xfq/" + name + "/") != std::string::npos);
    CHECK(fs::is_regular_file(kRoot / "tests/experiments" / (folder + "_test.cpp")));

    bool in_map = false;
    std::istringstream lines(readme);
    for (std::string line; std::getline(lines, line);) {
      in_map = in_map || (line.compare(0, 1, "|") == 0 &&
                          line.find("`xfq " + name + "`") != std::string::npos &&
                          line.find("src/experiments/" + folder) != std::string::npos);
    }
    CHECK(in_map);
  }
}

TEST_CASE("each experiment's folder is registered") {
  std::set<std::string> folders;
  for (const std::string& name : registered()) folders.insert(folder_name(name));
  for (const auto& entry : fs::directory_iterator(kRoot / "src/experiments")) {
    if (!entry.is_directory()) continue;
    INFO(entry.path().filename().string());
    CHECK(folders.count(entry.path().filename().string()) == 1);
  }
}

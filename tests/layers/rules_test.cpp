// Every rule is broken once in a tree made for it, and found; a tree that keeps
// the rules has no findings. So a rule that stopped looking turns this red.
#include "rules.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "catch.h"

namespace {

namespace fs = std::filesystem;

// A small tree that keeps every rule; removed at the end of the test.
class Tree {
 public:
  Tree() {
    static int count = 0;
    root_ = fs::temp_directory_path() /
            ("xfq-layers-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) + "-" +
             std::to_string(++count));
    fs::remove_all(root_);
    write("src/README.md",
          "# Rooms of a made tree\n\n## Rooms\n\n| room | job | may include |\n|---|---|---|\n"
          "| `core` | base | - |\n| `stats` | numbers | core |\n"
          "| `experiments` | runs | stats core |\n| `cli` | options | experiments core |\n"
          "\n## Glossary\n\n| `word` | not a room | - |\n");
    write("include/xfq/core/error.h", "// Errors.\n#pragma once\n#include <string>\n");
    write("include/xfq/stats/mean.h", "// Means.\n#pragma once\n#include \"xfq/core/error.h\"\n");
    write("src/stats/mean.cpp", "// Means.\n#include \"xfq/stats/mean.h\"\n");
    write("src/cli/main.cpp", "// Start.\n#include <cstdio>\nint main() { return puts(\"x\"); }\n");
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

// The rule, file and line of the only finding after one file was written.
std::string finding_of(const std::string& path, const std::string& text) {
  const Tree tree;
  tree.write(path, text);
  const std::vector<layers::Finding> findings = layers::check_tree(tree.root());
  INFO(layers::to_text(findings));
  REQUIRE(findings.size() <= 1);
  if (findings.empty()) return "none";
  return findings[0].rule + " " + findings[0].file + ":" + std::to_string(findings[0].line);
}

// The rule that one line of code in src/stats breaks.
std::string rule_of(const std::string& line) {
  const std::string found = finding_of("src/stats/x.cpp", "// X.\n" + line + "\n");
  return found.substr(0, found.find(' '));
}

}  // namespace

TEST_CASE("a tree that keeps the rules has no findings") {
  const Tree tree;
  CHECK(layers::to_text(layers::check_tree(tree.root())).empty());
}

TEST_CASE("the table of rooms is read up to the next heading") {
  const Tree tree;
  const std::vector<layers::Room> rooms = layers::read_rooms(tree.root());
  REQUIRE(rooms.size() == 4);
  CHECK(rooms[0].name == "core");
  CHECK(rooms[0].may_include.empty());
  CHECK(rooms[2].name == "experiments");
  CHECK(rooms[2].may_include == std::vector<std::string>{"stats", "core"});

  tree.write("src/README.md", "# No table\n");
  CHECK_THROWS_AS(layers::read_rooms(tree.root()), std::runtime_error);
}

TEST_CASE("a room includes only rooms in its row") {
  CHECK(finding_of("src/core/x.cpp", "// X.\n\n#include \"xfq/stats/mean.h\"\n") ==
        "room src/core/x.cpp:3");
  CHECK(finding_of("include/xfq/core/x.h", "// X.\n#pragma once\n#include <xfq/stats/mean.h>\n") ==
        "room include/xfq/core/x.h:3");
  // Whether the included file exists does not matter.
  CHECK(finding_of("src/core/x.cpp", "// X.\n#include \"xfq/stats/later.h\"\n") ==
        "room src/core/x.cpp:2");
  CHECK(finding_of("src/core/x.cpp", "// X.\n#include <xfq/stats/later.h>\n") ==
        "room src/core/x.cpp:2");
  CHECK(finding_of("src/core/x.cpp", "// X.\n// #include \"xfq/stats/mean.h\"\n") == "none");
  CHECK(finding_of("src/core/x.cpp", "// X.\n/*\n#include \"xfq/stats/mean.h\"\n*/\n") == "none");
}

TEST_CASE("private headers stay private") {
  const Tree tree;
  tree.write("src/core/inner.h", "// Inner.\n#pragma once\n");
  tree.write("src/stats/x.cpp", "// X.\n#include \"../core/inner.h\"\n");
  tree.write("include/xfq/core/x.h",
             "// X.\n#pragma once\n#include \"../../../src/core/inner.h\"\n");
  tree.write("src/core/x.cpp", "// X.\n#include \"inner.h\"\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())) ==
        "include/xfq/core/x.h:3: private: a public header includes the private "
        "'../../../src/core/inner.h'\n"
        "src/stats/x.cpp:2: private: '../core/inner.h' is private to room 'core'\n");
}

TEST_CASE("a private header is recognised by its path, written yet or not") {
  const Tree tree;
  tree.write("src/core/x.cpp", "// X.\n#include \"../stats/later.h\"\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())) ==
        "src/core/x.cpp:2: room: room 'core' may not include '../stats/later.h'\n"
        "src/core/x.cpp:2: private: '../stats/later.h' is private to room 'stats'\n");
}

TEST_CASE("an experiment includes no other experiment") {
  const Tree tree;
  tree.write("src/experiments/shared.h", "// Shared.\n#pragma once\n");
  tree.write("src/experiments/one/one.h", "// One.\n#pragma once\n");
  tree.write("src/experiments/registry.cpp", "// All.\n#include \"one/one.h\"\n");
  tree.write("src/experiments/two/a.cpp", "// Two.\n#include \"experiments/shared.h\"\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())).empty());
  tree.write("src/experiments/two/b.cpp", "// Two.\n#include \"../one/one.h\"\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())) ==
        "src/experiments/two/b.cpp:2: experiment: experiment 'two' includes 'one'\n");

  tree.write("include/xfq/experiments/one.h", "// One.\n#pragma once\n");
  tree.write("src/experiments/registry.cpp", "// All.\n#include \"xfq/experiments/one.h\"\n");
  tree.write("src/experiments/two/b.cpp", "// Two.\n#include \"xfq/experiments/one.h\"\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())) ==
        "src/experiments/two/b.cpp:2: experiment: experiment 'two' includes 'one'\n");
}

TEST_CASE("every folder is a room, and every file lies in one") {
  const std::string include = "// X.\n#include <string>\n";
  CHECK(finding_of("src/attic/x.cpp", include) == "unknown-room src/attic/x.cpp:0");
  CHECK(finding_of("src/x.cpp", include) == "unknown-room src/x.cpp:0");
}

TEST_CASE("rooms look upwards in the table only") {
  const Tree tree;
  tree.write("src/README.md",
             "## Rooms\n| `core` | base | stats |\n| `stats` | numbers | core |\n"
             "| `experiments` | runs | stats core |\n| `cli` | options | experiments core |\n");
  const std::vector<layers::Finding> findings = layers::check_tree(tree.root());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "table");
}

TEST_CASE("link dependencies follow the table too") {
  CHECK(finding_of("src/stats/CMakeLists.txt",
                   "xfq_room(stats\n  SOURCES a.cpp\n  DEPENDS core)\n") == "none");
  CHECK(finding_of("src/stats/CMakeLists.txt",
                   "xfq_room(stats\n  SOURCES a.cpp\n  DEPENDS core\n    cli)\n") ==
        "depends src/stats/CMakeLists.txt:0");
  CHECK(finding_of("src/stats/CMakeLists.txt", "target_link_libraries(xfq_stats xfq::cli)\n") ==
        "depends src/stats/CMakeLists.txt:0");
  CHECK(finding_of("src/stats/CMakeLists.txt", "# not xfq::cli\n") == "none");
}

TEST_CASE("libraries neither print nor exit") {
  CHECK(rule_of("void f() { std::cout << 1; }") == "print");
  CHECK(rule_of("void f() { fprintf(stderr, \"x\"); }") == "print");
  CHECK(rule_of("void f() { fmt::print(\"x\"); }") == "print");
  CHECK(rule_of("void f() { std::exit(1); }") == "exit");
  CHECK(rule_of("void f() { std::abort(); }") == "exit");
  CHECK(rule_of("void f() { snprintf(b, 1, \"x\"); }") == "none");
  CHECK(rule_of("const char* f() { return \"printf(\"; }") == "none");
  CHECK(rule_of("const char* f() { return R\"(exit(\" 1))\"; }") == "none");
  CHECK(rule_of("const char f() { return '\"'; }  void g() { exit(1); }") == "exit");
  CHECK(rule_of("int n = 1'000; void g() { exit(1); }  // 1'000") == "exit");
  CHECK(finding_of("src/cli/x.cpp", "// X.\nvoid f() { std::exit(1); }\n") == "none");
}

TEST_CASE("randomness has one source, threads one place") {
  CHECK(rule_of("std::mt19937 r;") == "random");
  CHECK(rule_of("std::normal_distribution<float> d;") == "random");
  CHECK(rule_of("void f() { std::shuffle(a, b, c); }") == "random");
  CHECK(rule_of("int f() { return rand(); }") == "random");
  CHECK(rule_of("#include <random>") == "random");
  CHECK(rule_of("int operand(int a);") == "none");
  CHECK(rule_of("void f() { std::thread t; }") == "thread");
  CHECK(rule_of("#pragma omp parallel for") == "thread");
  CHECK(rule_of("auto id = std::this_thread::get_id();") == "none");
}

TEST_CASE("each library has its places") {
  CHECK(rule_of("#include <CLI/CLI.hpp>") == "header");
  CHECK(rule_of("#include <nlohmann/json.hpp>") == "header");
  CHECK(rule_of("#include <valijson/schema.hpp>") == "header");
  CHECK(rule_of("#include <absl/strings/str_cat.h>") == "header");
  CHECK(rule_of("#include <boost/math/distributions.hpp>") == "none");
  CHECK(rule_of("#include <unistd.h>") == "none");
  CHECK(rule_of("#include <sys/stat.h>") == "none");
  CHECK(finding_of("src/cli/x.cpp", "// X.\n#include <CLI/CLI.hpp>\n") == "none");
  CHECK(finding_of("include/xfq/stats/x.h", "// X.\n#pragma once\n#include <fmt/core.h>\n") ==
        "header include/xfq/stats/x.h:3");
  CHECK(finding_of("include/xfq/stats/x.h", "// X.\n#pragma once\n#include <unistd.h>\n") ==
        "header include/xfq/stats/x.h:3");
  CHECK(finding_of("tests/stats/x.cpp", "// X.\n#include <catch2/catch.hpp>\n") ==
        "header tests/stats/x.cpp:2");
}

TEST_CASE("a heavy header stays in one file") {
  const Tree tree;
  tree.write("src/stats/a.cpp",
             "// A.\n#include <boost/math/a.hpp>\n#include <boost/math/b.hpp>\n");
  CHECK(layers::check_tree(tree.root()).empty());
  tree.write("src/stats/b.cpp", "// B.\n#include <boost/math/a.hpp>\n");
  CHECK(layers::to_text(layers::check_tree(tree.root())) ==
        "src/stats/:0: header-count: Boost in 2 files, expected at most 1: src/stats/a.cpp "
        "src/stats/b.cpp\n");
}

TEST_CASE("files are ASCII, finished, guarded and say what they are") {
  CHECK(rule_of("// caf\xc3\xa9") == "ascii");
  CHECK(rule_of("int a;\r") == "ascii");
  CHECK(rule_of("// TO"
                "DO: later") == "unfinished");
  CHECK(finding_of("src/stats/x.inl", "// X.\nint f() { return rand(); }\n") ==
        "random src/stats/x.inl:2");
  CHECK(finding_of("src/stats/mean.cpp", "#include \"xfq/stats/mean.h\"\n") == "none");
  CHECK(finding_of("src/stats/x.cpp", "#include \"xfq/stats/mean.h\"\n") ==
        "first-line src/stats/x.cpp:1");
  CHECK(finding_of("src/stats/x.cpp", "int a;\n") == "first-line src/stats/x.cpp:1");
  CHECK(finding_of("include/xfq/stats/x.h", "// X.\nint f();\n") ==
        "guard include/xfq/stats/x.h:0");
  CHECK(finding_of("include/xfq/stats/x.h", "// X.\n#pragma once\nusing namespace std;\n") ==
        "namespace include/xfq/stats/x.h:3");
}

TEST_CASE("build files keep the arithmetic and the network alone") {
  CHECK(finding_of("CMakeLists.txt", "add_compile_options(-ffast-math)\n") ==
        "fast-math CMakeLists.txt:1");
  CHECK(finding_of("tests/CMakeLists.txt", "include(FetchContent)\n") ==
        "download tests/CMakeLists.txt:1");
  CHECK(finding_of("CMakeLists.txt", "# no -ffast-math here\n") == "none");
}

// The program.
#include "xfq/cli/run.h"

int main(int argc, char** argv) { return xfq::cli::run(argc, argv, xfq::experiments::registry()); }

// Runs a fuzz target on its corpus and on mutations of it, so that every build
// tries it a little. tests/fuzz/run.sh fuzzes in earnest.

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/fuzz/mutator.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr int kMutationsInRound = 250;
constexpr rlim_t kMaxHeapBytes = rlim_t{512} << 20;

// An allocation that only the input's numbers ask for ends the test. Sanitizers
// reserve terabytes, and have limits of their own.
void LimitHeap() {
#if !defined(ABSL_HAVE_ADDRESS_SANITIZER) && \
    !defined(ABSL_HAVE_THREAD_SANITIZER)
  const rlimit limit = {kMaxHeapBytes, kMaxHeapBytes};
  ASSERT_EQ(setrlimit(RLIMIT_DATA, &limit), 0);
#endif
}

std::vector<std::string> Seeds() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(FUZZ_CORPUS)) {
    paths.push_back(entry.path());
  }
  // The file system's order is not the same everywhere.
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }
  return seeds;
}

class CorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    LimitHeap();
    ASSERT_FALSE(seeds_.empty()) << FUZZ_CORPUS;
  }

  void TearDown() override { fs::remove(input_path_); }

  // The input is in a file while it runs, and stays there if the process dies.
  void Run(const std::string& input) {
    std::ofstream(input_path_, std::ios::binary) << input;
    // Its bytes end where the memory does, so that a sanitizer sees who reads
    // on.
    const std::vector<uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }

  const std::vector<std::string> seeds_ = Seeds();

 private:
  static std::string InputPath() {
    const char* outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
    return absl::StrCat(outputs == nullptr ? testing::TempDir() : outputs,
                        "/the_input_that_it_died_of");
  }

  const std::string input_path_ = InputPath();
};

TEST_F(CorpusTest, TakesEverySeed) {
  for (const std::string& seed : seeds_) Run(seed);
}

// The parameter is the mutator's round.
class MutationTest : public CorpusTest,
                     public testing::WithParamInterface<int> {};

TEST_P(MutationTest, TakesMutationsOfSeeds) {
  Mutator mutator(seeds_, GetParam());
  for (int i = 0; i < kMutationsInRound; ++i) Run(mutator.Next());
}

INSTANTIATE_TEST_SUITE_P(Round, MutationTest, testing::Range(0, 4));

}  // namespace
}  // namespace hydra

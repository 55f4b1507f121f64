#ifndef HYDRA_TESTS_FUZZ_MUTATOR_H_
#define HYDRA_TESTS_FUZZ_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace hydra {

// Damages inputs a little, the way that fuzzers do: the same series from the
// same seeds and round on every machine. A small stand-in for libFuzzer, which
// g++ does not have; it is not guided by coverage. Not thread-safe.
class Mutator {
 public:
  // `seeds`: at least one.
  Mutator(std::vector<std::string> seeds, uint32_t round);

  // One of the seeds with one to four changes; at most kMaxBytes long.
  std::string Next();

  static constexpr size_t kMaxBytes = 1 << 16;

 private:
  // From 0 to below `bound`, which is positive.
  size_t Below(size_t bound);
  const std::string& AnySeed();
  // Begin and end of a short range of `bytes`.
  std::pair<size_t, size_t> AnyRange(const std::string& bytes);
  void Change(std::string* bytes);
  void ReplaceNumber(std::string* bytes);

  const std::vector<std::string> seeds_;
  std::mt19937 random_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_MUTATOR_H_

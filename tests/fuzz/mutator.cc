#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace hydra {
namespace {

constexpr size_t kLongestRange = 64;

// Where parsers of numbers go wrong.
constexpr const char* kNumbers[] = {"0",
                                    "-1",
                                    "1e999",
                                    "nan",
                                    "2147483648",
                                    "4294967296",
                                    "9223372036854775807",
                                    "9223372036854775808",
                                    "18446744073709551616",
                                    "1.5"};

// Where parsers of text and of lengths go wrong.
constexpr char kBytes[] = {
    '\0', '\x01', '\x7f', '\x80', '\xff', '"', '\\', '\n', '\r', '\t', '[', '{',
    ']',  '}',    ':',    ',',    '&',    '*', '!',  '-',  '/',  '.',  ' '};

}  // namespace

Mutator::Mutator(std::vector<std::string> seeds, uint32_t round)
    : seeds_(std::move(seeds)), random_(round) {}

std::string Mutator::Next() {
  std::string bytes = AnySeed();
  for (size_t changes = 1 + Below(4); changes > 0; --changes) Change(&bytes);
  bytes.resize(std::min(bytes.size(), kMaxBytes));
  return bytes;
}

size_t Mutator::Below(size_t bound) { return random_() % bound; }

const std::string& Mutator::AnySeed() { return seeds_[Below(seeds_.size())]; }

std::pair<size_t, size_t> Mutator::AnyRange(const std::string& bytes) {
  const size_t begin = Below(bytes.size() + 1);
  return {begin, std::min(bytes.size(), begin + Below(kLongestRange))};
}

void Mutator::Change(std::string* bytes) {
  const auto [begin, end] = AnyRange(*bytes);
  switch (Below(8)) {
    case 0:
      if (begin < bytes->size()) (*bytes)[begin] ^= 1 << Below(8);
      return;
    case 1:
      if (begin < bytes->size())
        (*bytes)[begin] = kBytes[Below(sizeof(kBytes))];
      return;
    case 2:
      bytes->insert(begin, 1 + Below(4), kBytes[Below(sizeof(kBytes))]);
      return;
    case 3:
      bytes->erase(begin, end - begin);
      return;
    case 4:
      bytes->insert(Below(bytes->size() + 1),
                    bytes->substr(begin, end - begin));
      return;
    case 5:
      bytes->resize(begin);
      return;
    case 6: {
      const std::string& other = AnySeed();
      const auto [other_begin, other_end] = AnyRange(other);
      bytes->replace(begin, end - begin, other, other_begin,
                     other_end - other_begin);
      return;
    }
    default:
      ReplaceNumber(bytes);
  }
}

void Mutator::ReplaceNumber(std::string* bytes) {
  const auto from = bytes->begin() + Below(bytes->size() + 1);
  const auto begin = std::find_if(from, bytes->end(), absl::ascii_isdigit);
  const auto end = std::find_if_not(begin, bytes->end(), absl::ascii_isdigit);
  bytes->replace(begin, end, kNumbers[Below(std::size(kNumbers))]);
}

}  // namespace hydra

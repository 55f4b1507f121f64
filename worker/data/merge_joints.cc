#include "worker/data/merge_joints.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/text/code_points.h"

namespace hydra {
namespace {

constexpr char32_t kSpaceMark = 0x2581;

}  // namespace

MergeJoints::MergeJoints(const Tokenizer& tokenizer)
    : keeps_words_(tokenizer.ignore_merges) {
  absl::flat_hash_map<uint32_t, absl::string_view> texts;
  for (const auto& [token, id] : tokenizer.vocabulary) {
    texts.emplace(id, token);
    if (token.empty()) continue;
    size_t at = 0;
    const char32_t c = NextCodePoint(token, &at);
    if (at == token.size()) tokens_.insert(c);
  }
  const std::vector<uint32_t>& bytes = tokenizer.byte_tokens;
  const absl::flat_hash_set<uint32_t> byte_ids(bytes.begin(), bytes.end());
  bytes_stand_alone_ = !bytes.empty() && !byte_ids.contains(kNoByteToken);
  for (const auto& [ids, merge] : tokenizer.merges) {
    const absl::string_view left = texts.at(ids.first);
    const absl::string_view right = texts.at(ids.second);
    if (byte_ids.contains(ids.first) || byte_ids.contains(ids.second)) {
      bytes_stand_alone_ = false;
    }
    if (left.empty() || right.empty()) continue;
    pairs_.emplace(LastCodePoint(left), FirstCodePoint(right));
  }
}

bool MergeJoints::IsToken(char32_t c) const { return tokens_.contains(c); }

bool MergeJoints::MayJoin(char32_t left, char32_t right) const {
  if (pairs_.contains({left, right})) return true;
  // What is unknown may be joined with other unknown characters, or wait for
  // one that is known.
  if (!bytes_stand_alone_) return !IsToken(left) || !IsToken(right);
  return false;
}

void MergeJoints::Split(absl::string_view word,
                        absl::FunctionRef<void(absl::string_view)> part) const {
  size_t begin = 0;
  char32_t before = 0;
  for (size_t at = 0; !keeps_words_ && at < word.size();) {
    const size_t here = at;
    const char32_t c = NextCodePoint(word, &at);
    if (here > 0 && (c == ' ' || c == kSpaceMark) && !MayJoin(before, c)) {
      part(word.substr(begin, here - begin));
      begin = here;
    }
    before = c;
  }
  part(word.substr(begin));
}

}  // namespace hydra

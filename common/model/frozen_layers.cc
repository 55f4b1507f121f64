#include "common/model/frozen_layers.h"

#include <fnmatch.h>

#include <algorithm>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr size_t kMostShown = 3;

bool Matches(const std::string& pattern, const std::string& name) {
  return !name.empty() && fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool Matches(const std::string& pattern, const TensorEntry& tensor) {
  return Matches(pattern, tensor.name) || Matches(pattern, tensor.alias);
}

// What all tensors of the block, and of no other one, match.
std::string PatternOf(const ParameterBlock& block) {
  std::string prefix = block.tensors.front().name;
  for (const TensorEntry& tensor : block.tensors) {
    const auto differing = std::mismatch(
        prefix.begin(), prefix.end(), tensor.name.begin(), tensor.name.end());
    prefix.erase(differing.first, prefix.end());
  }
  return block.tensors.size() == 1 ? prefix : prefix + "*";
}

std::string List(const std::vector<std::string>& names) {
  const size_t shown = std::min(names.size(), kMostShown);
  std::string text = absl::StrJoin(names.begin(), names.begin() + shown, ", ");
  if (names.size() > shown) {
    absl::StrAppend(&text, " and ", names.size() - shown, " more");
  }
  return text;
}

absl::Status CheckUse(const ModelTable& table, const std::string& pattern) {
  std::vector<std::string> blocks;
  for (const ParameterBlock& block : table.parameter_blocks) {
    const bool is_used = absl::c_any_of(
        block.tensors,
        [&](const TensorEntry& tensor) { return Matches(pattern, tensor); });
    if (is_used) return absl::OkStatus();
    blocks.push_back(PatternOf(block));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(pattern), " matches no tensor of the model; its layers' are ",
      List(blocks)));
}

// Those of the block's tensors that no pattern matches.
std::vector<std::string> Missed(const ParameterBlock& block,
                                const std::vector<std::string>& patterns) {
  std::vector<std::string> missed;
  for (const TensorEntry& tensor : block.tensors) {
    const bool is_matched = absl::c_any_of(
        patterns,
        [&](const std::string& pattern) { return Matches(pattern, tensor); });
    if (!is_matched) missed.push_back(tensor.name);
  }
  return missed;
}

// The numbers of the blocks, as "0,2-5".
std::string FrozenText(const ModelTable& table) {
  std::vector<std::string> runs;
  const int count = static_cast<int>(table.parameter_blocks.size());
  for (int first = 0; first < count; ++first) {
    if (!table.parameter_blocks[first].frozen) continue;
    int last = first;
    while (last + 1 < count && table.parameter_blocks[last + 1].frozen) ++last;
    runs.push_back(first == last ? absl::StrCat(first)
                                 : absl::StrCat(first, "-", last));
    first = last;
  }
  return absl::StrJoin(runs, ",");
}

}  // namespace

absl::StatusOr<ModelTable> WithFrozen(
    ModelTable table, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return table;
  for (const std::string& pattern : patterns) {
    if (absl::Status used = CheckUse(table, pattern); !used.ok()) return used;
  }
  for (ParameterBlock& block : table.parameter_blocks) {
    const std::vector<std::string> missed = Missed(block, patterns);
    if (missed.size() == block.tensors.size()) continue;
    if (!missed.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the tensors of a layer are frozen together; of those that ",
          Quoted(PatternOf(block)), " matches, ", missed.size(), " of ",
          block.tensors.size(), " are not named: ", List(missed), "; write ",
          Quoted(PatternOf(block)),
          ", or a pattern that matches none of them"));
    }
    block.frozen = true;
  }
  if (table.TrainedBytes() == 0) {
    return absl::InvalidArgumentError(
        "the patterns match every tensor of the model, and nothing would be "
        "trained");
  }
  absl::StrAppend(&table.architecture_key, " frozen=", FrozenText(table));
  return table;
}

}  // namespace hydra

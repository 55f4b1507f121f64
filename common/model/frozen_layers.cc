#include "common/model/frozen_layers.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/hash/fnv.h"
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

// For each of the block's tensors, whether any pattern matches it.
std::vector<bool> Matched(const ParameterBlock& block,
                          const std::vector<std::string>& patterns) {
  std::vector<bool> matched;
  for (const TensorEntry& tensor : block.tensors) {
    matched.push_back(absl::c_any_of(patterns, [&](const std::string& pattern) {
      return Matches(pattern, tensor);
    }));
  }
  return matched;
}

// Patterns that match all of a block's parameters match what its batch norms
// remember, too.
absl::Status CheckRest(const ParameterBlock& block,
                       const std::vector<bool>& matched) {
  std::vector<std::string> rest;
  for (size_t i = 0; i < matched.size(); ++i) {
    if (matched[i]) continue;
    const TensorEntry& tensor = block.tensors[i];
    if (tensor.use == TensorUse::kParameter) return absl::OkStatus();
    rest.push_back(tensor.name);
  }
  if (rest.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the patterns match every parameter of a layer, but not all that its "
      "batch norms remember, and nothing else of it would be trained: ",
      List(rest), "; name these too, as ", Quoted(PatternOf(block)), " does"));
}

// Those of the whole block's tensors for which `taken` says `is_taken`, laid
// out anew.
ParameterBlock PartOf(const ParameterBlock& whole,
                      const std::vector<bool>& taken, bool is_taken) {
  ParameterBlock part = whole;
  part.tensors.clear();
  part.size_bytes = 0;
  for (size_t i = 0; i < whole.tensors.size(); ++i) {
    if (taken[i] != is_taken) continue;
    TensorEntry tensor = whole.tensors[i];
    tensor.offset_bytes = part.size_bytes;
    part.size_bytes +=
        AlignedTensorBytes(tensor.element_count * ElementBytes(part.type));
    part.tensors.push_back(std::move(tensor));
    part.places.push_back(static_cast<int>(i));
  }
  return part;
}

// Takes the tensors that are frozen out of the block.
void Divide(int block, const std::vector<bool>& is_frozen, ModelTable& table) {
  const ParameterBlock whole = table.parameter_blocks[block];
  table.parameter_blocks[block] = PartOf(whole, is_frozen, false);
  ParameterBlock frozen = PartOf(whole, is_frozen, true);
  frozen.frozen = true;
  frozen.divided_from = block;
  const int number = static_cast<int>(table.parameter_blocks.size());
  for (int layer : whole.layers) {
    table.layers[layer].parameter_blocks.push_back(number);
  }
  table.parameter_blocks.push_back(std::move(frozen));
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

// Tells models apart whose blocks are divided otherwise; empty where none is.
std::string PartsText(const ModelTable& table) {
  std::string parts;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (block.divided_from < 0) continue;
    absl::StrAppend(&parts, block.divided_from, ":",
                    absl::StrJoin(block.places, ","), ";");
  }
  return parts.empty() ? "" : absl::StrCat(" parts=", absl::Hex(Fnv1a(parts)));
}

}  // namespace

absl::StatusOr<ModelTable> WithFrozen(
    ModelTable table, const std::vector<std::string>& patterns) {
  if (patterns.empty()) return table;
  for (const std::string& pattern : patterns) {
    if (absl::Status used = CheckUse(table, pattern); !used.ok()) return used;
  }
  const int described = static_cast<int>(table.parameter_blocks.size());
  for (int block = 0; block < described; ++block) {
    const std::vector<bool> matched =
        Matched(table.parameter_blocks[block], patterns);
    if (!absl::c_linear_search(matched, true)) continue;
    absl::Status rest = CheckRest(table.parameter_blocks[block], matched);
    if (!rest.ok()) return rest;
    if (absl::c_linear_search(matched, false)) {
      Divide(block, matched, table);
    } else {
      table.parameter_blocks[block].frozen = true;
    }
  }
  if (table.TrainedBytes() == 0) {
    return absl::InvalidArgumentError(
        "the patterns match every tensor of the model, and nothing would be "
        "trained");
  }
  absl::StrAppend(&table.architecture_key, " frozen=", FrozenText(table),
                  PartsText(table));
  return table;
}

}  // namespace hydra

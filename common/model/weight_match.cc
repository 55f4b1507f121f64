#include "common/model/weight_match.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/safetensors/shape_text.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using safetensors::Dtype;
using safetensors::ShapeText;
using safetensors::Weight;
using safetensors::WeightDirectory;

constexpr size_t kMostShown = 3;
// Compared at a time.
constexpr int64_t kPieceElements = 1 << 16;

// "a, b, c and 9 more".
std::string List(const std::vector<std::string>& items) {
  const size_t shown = std::min(items.size(), kMostShown);
  std::string text = absl::StrJoin(items.begin(), items.begin() + shown, ", ");
  if (items.size() > shown) {
    absl::StrAppend(&text, " and ", items.size() - shown, " more");
  }
  return text;
}

// What an architecture may have nothing to say about.
std::string Clause(absl::string_view separator, absl::string_view text) {
  return text.empty() ? "" : absl::StrCat(separator, text);
}

bool IsReadable(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16;
}

bool IsReadable(Dtype dtype, TensorUse use) {
  return use == TensorUse::kCount ? dtype == Dtype::kI64 : IsReadable(dtype);
}

bool IsTransposed(absl::Span<const int64_t> found,
                  absl::Span<const int64_t> wanted) {
  return wanted.size() == 2 && found.size() == 2 && found[0] == wanted[1] &&
         found[1] == wanted[0];
}

class Matcher {
 public:
  Matcher(const ModelTable& table, const WeightDirectory& weights)
      : table_(table),
        names_(table.weight_names),
        weights_(weights),
        body_(names_.module_prefix) {}

  WeightMatch Run() {
    if (!FindPrefix()) return std::move(match_);
    for (const ParameterBlock& block : table_.parameter_blocks) {
      if (block.is_adapter) continue;
      for (const TensorEntry& tensor : block.tensors) MatchTensor(tensor);
    }
    AddMistakes();
    if (match_.mistakes.empty()) AddWarnings();
    return std::move(match_);
  }

 private:
  // False: there are several models.
  bool FindPrefix() {
    if (names_.landmark.empty()) return true;
    std::set<std::string> found;
    for (const Weight& weight : weights_.weights()) {
      absl::string_view name = weight.tensor->name;
      if (absl::ConsumeSuffix(&name, names_.landmark) &&
          (name.empty() || absl::EndsWith(name, "."))) {
        found.emplace(name);
      }
    }
    for (const std::string& usual : {names_.module_prefix, std::string()}) {
      if (found.count(usual) != 0) {
        body_ = usual;
        return true;
      }
    }
    if (found.size() > 1) {
      std::vector<std::string> prefixes;
      for (const std::string& prefix : found)
        prefixes.push_back(PrintableStart(prefix));
      match_.mistakes.push_back(absl::StrCat(
          "the weights hold several models, whose tensors begin with ",
          List(prefixes), "; keep one of them"));
      return false;
    }
    if (found.empty()) return true;
    body_ = *found.begin();
    head_ = std::string(absl::StripSuffix(body_, names_.module_prefix));
    match_.warnings.push_back(absl::StrCat(
        "the names of all tensors begin with ",
        PrintableStart(head_.empty() ? body_ : head_),
        ", as torch.compile, DDP and others leave it; that is left out"));
    return true;
  }

  std::string NameOf(absl::string_view tensor) const {
    return absl::ConsumePrefix(&tensor, names_.module_prefix)
               ? absl::StrCat(body_, tensor)
               : absl::StrCat(head_, tensor);
  }

  bool IsUnread(absl::string_view name) const {
    return std::any_of(names_.unread_suffixes.begin(),
                       names_.unread_suffixes.end(),
                       [&](const std::string& suffix) {
                         return absl::EndsWith(name, suffix);
                       });
  }

  // Under the tensor's name, or one that it had once.
  const Weight* FindNamed(const std::string& tensor) const {
    const std::string name = NameOf(tensor);
    const Weight* weight = weights_.Find(name);
    for (const auto& [old_end, end] : names_.renamed_suffixes) {
      absl::string_view stem = name;
      if (weight == nullptr && absl::ConsumeSuffix(&stem, end)) {
        weight = weights_.Find(absl::StrCat(stem, old_end));
      }
    }
    return weight;
  }

  const Weight* Find(const TensorEntry& tensor) {
    const Weight* weight = FindNamed(tensor.name);
    if (tensor.alias.empty()) return weight;
    const Weight* other = weights_.Find(NameOf(tensor.alias));
    if (other == nullptr) return weight;
    used_.insert(other->tensor->name);
    if (weight != nullptr) {
      match_.aliases.emplace(tensor.name, other->tensor->name);
      return weight;
    }
    match_.warnings.push_back(
        absl::StrCat("the weights have ", PrintableStart(other->tensor->name),
                     " and no ", PrintableStart(NameOf(tensor.name)),
                     "; the model ties them, so the one serves as both"));
    return other;
  }

  void MatchTensor(const TensorEntry& tensor) {
    ++wanted_;
    const Weight* weight = Find(tensor);
    if (weight == nullptr && tensor.may_be_drawn) {
      match_.drawn.push_back(tensor.name);
      return;
    }
    if (weight == nullptr) {
      missing_.push_back(
          absl::StrCat(tensor.name, " of shape ", ShapeText(tensor.shape)));
      return;
    }
    const safetensors::TensorInfo& found = *weight->tensor;
    used_.insert(found.name);
    if (IsTransposed(found.shape, tensor.shape) &&
        found.shape != tensor.shape) {
      transposed_.push_back(absl::StrCat(PrintableStart(found.name), " ",
                                         ShapeText(found.shape)));
    } else if (found.shape != tensor.shape) {
      misshaped_.push_back(absl::StrCat(PrintableStart(found.name),
                                        " has shape ", ShapeText(found.shape),
                                        ", wanted ", ShapeText(tensor.shape)));
    } else if (!IsReadable(found.dtype, tensor.use)) {
      unreadable_.push_back(absl::StrCat(
          PrintableStart(found.name), " is ", DtypeName(found.dtype),
          tensor.use == TensorUse::kCount ? ", wanted I64" : ""));
    }
    match_.names.emplace(tensor.name, found.name);
  }

  // Names that nothing was found for, without the usual buffers.
  std::vector<std::string> Unused() const {
    std::vector<std::string> names;
    for (const Weight& weight : weights_.weights()) {
      const std::string& name = weight.tensor->name;
      if (!used_.contains(name) && !IsUnread(name)) {
        names.push_back(PrintableStart(name));
      }
    }
    return names;
  }

  void AddMistakes() {
    if (!missing_.empty()) {
      const std::vector<std::string> unused = Unused();
      match_.mistakes.push_back(absl::StrCat(
          "the weights lack ", missing_.size(), " of the ", wanted_,
          " tensors that ", table_.config_names.file,
          " asks for: ", List(missing_),
          unused.empty() ? ""
                         : absl::StrCat("; what they have and Hydra does not "
                                        "know: ",
                                        List(unused))));
    }
    if (!transposed_.empty()) {
      match_.mistakes.push_back(absl::StrCat(
          transposed_.size(), " tensors are stored transposed",
          Clause(", ", names_.transposed_why), ": ", List(transposed_),
          Clause("; ", names_.transposed_remedy)));
    }
    if (!misshaped_.empty()) {
      match_.mistakes.push_back(absl::StrCat(
          misshaped_.size(), " tensors have not the shape that ",
          table_.config_names.file, " asks for: ", List(misshaped_)));
    }
    if (!unreadable_.empty()) {
      match_.mistakes.push_back(absl::StrCat(
          unreadable_.size(),
          " tensors have a type that Hydra does not read: ", List(unreadable_),
          "; F32, F16 and BF16 are read: convert them, for "
          "example with model.float()"));
    }
  }

  void AddWarnings() {
    if (!match_.drawn.empty()) {
      match_.warnings.push_back(absl::StrCat(
          "the weights lack ", absl::StrJoin(match_.drawn, ", "),
          "; they are drawn at random from train.seed, and trained"));
    }
    if (const std::vector<std::string> unused = Unused(); !unused.empty()) {
      match_.warnings.push_back(absl::StrCat(
          unused.size(),
          " tensors of the weights are not used, and the trained model has "
          "them not: ",
          List(unused)));
    }
    std::vector<std::string> unread;
    for (const Weight& weight : weights_.weights()) {
      if (IsUnread(weight.tensor->name)) {
        unread.push_back(PrintableStart(weight.tensor->name));
      }
    }
    if (!unread.empty()) {
      match_.warnings.push_back(
          absl::StrCat(unread.size(), " ", names_.unread_what,
                       " of the weights are not read, since ",
                       names_.unread_why, ": ", List(unread)));
    }
  }

  const ModelTable& table_;
  const WeightNames& names_;
  const WeightDirectory& weights_;
  WeightMatch match_;
  // What stands before the names of the module's tensors, and of the others.
  std::string body_;
  std::string head_;
  absl::flat_hash_set<std::string> used_;
  int wanted_ = 0;
  std::vector<std::string> missing_;
  std::vector<std::string> transposed_;
  std::vector<std::string> misshaped_;
  std::vector<std::string> unreadable_;
};

// Of two tensors of the checkpoint that should be one.
absl::Status CheckAlias(const std::string& name, const std::string& alias,
                        const WeightDirectory& weights) {
  const safetensors::TensorInfo& own = *weights.Find(name)->tensor;
  const safetensors::TensorInfo& other = *weights.Find(alias)->tensor;
  const auto differ = [&](absl::string_view how) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the weights have ", PrintableStart(alias), " beside ",
        PrintableStart(name), ", and ", how,
        "; set tie_word_embeddings to false in config.json, as transformers "
        "would take it, or remove one of them"));
  };
  if (other.shape != own.shape) return differ("their shapes differ");
  if (!IsReadable(other.dtype)) {
    return differ(absl::StrCat("it is ", DtypeName(other.dtype)));
  }
  std::vector<float> of_own(std::min(own.elements, kPieceElements));
  std::vector<float> of_other(of_own.size());
  for (int64_t first = 0; first < own.elements; first += kPieceElements) {
    const int64_t count = std::min(kPieceElements, own.elements - first);
    absl::Status read = weights.ReadAsFloat32(
        name, first, absl::MakeSpan(of_own.data(), count));
    read.Update(weights.ReadAsFloat32(alias, first,
                                      absl::MakeSpan(of_other.data(), count)));
    if (!read.ok()) return read;
    const auto differing =
        std::mismatch(of_own.begin(), of_own.begin() + count, of_other.begin());
    if (differing.first != of_own.begin() + count) {
      return differ(absl::StrCat("they differ from element ",
                                 first + (differing.first - of_own.begin()),
                                 " on"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

WeightMatch MatchWeights(const ModelTable& table,
                         const WeightDirectory& weights) {
  return Matcher(table, weights).Run();
}

absl::Status ReadElements(const WeightMatch& match,
                          const WeightDirectory& weights,
                          const TensorEntry& tensor, int64_t first,
                          absl::Span<float> to) {
  const std::string& name = match.names.at(tensor.name);
  if (tensor.use != TensorUse::kCount) {
    return weights.ReadAsFloat32(name, first, to);
  }
  std::vector<int64_t> counts(to.size());
  absl::Status read = weights.Read(
      name, first * static_cast<int64_t>(sizeof(int64_t)),
      static_cast<int64_t>(counts.size() * sizeof(int64_t)), counts.data());
  if (!read.ok()) return read;
  std::transform(counts.begin(), counts.end(), to.begin(),
                 [](int64_t count) { return static_cast<float>(count); });
  return absl::OkStatus();
}

absl::Status CheckAliases(const WeightMatch& match,
                          const WeightDirectory& weights) {
  if (!match.mistakes.empty()) return absl::OkStatus();
  for (const auto& [tensor, alias] : match.aliases) {
    absl::Status same = CheckAlias(match.names.at(tensor), alias, weights);
    if (!same.ok()) return same;
  }
  return absl::OkStatus();
}

}  // namespace hydra

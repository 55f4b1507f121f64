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

constexpr absl::string_view kModule = "transformer.";
constexpr absl::string_view kEmbedding = "transformer.wte.weight";
constexpr absl::string_view kHead = "lm_head.weight";
// Every GPT-2 has it, and nothing else has.
constexpr absl::string_view kLandmark = "h.0.ln_1.weight";
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

bool IsAttentionMask(absl::string_view name) {
  return absl::EndsWith(name, ".attn.bias") ||
         absl::EndsWith(name, ".attn.masked_bias");
}

bool IsReadable(Dtype dtype) {
  return dtype == Dtype::kF32 || dtype == Dtype::kF16 || dtype == Dtype::kBF16;
}

bool IsTransposed(absl::Span<const int64_t> found,
                  absl::Span<const int64_t> wanted) {
  return wanted.size() == 2 && found.size() == 2 && found[0] == wanted[1] &&
         found[1] == wanted[0];
}

class Matcher {
 public:
  Matcher(const ModelTable& table, const WeightDirectory& weights)
      : table_(table), weights_(weights) {}

  WeightMatch Run() {
    if (!FindPrefix()) return std::move(match_);
    for (const ParameterBlock& block : table_.parameter_blocks) {
      for (const TensorEntry& tensor : block.tensors) MatchTensor(tensor);
    }
    AddMistakes();
    if (match_.mistakes.empty()) AddWarnings();
    return std::move(match_);
  }

 private:
  // False: there are several models.
  bool FindPrefix() {
    std::set<std::string> found;
    for (const Weight& weight : weights_.weights()) {
      absl::string_view name = weight.tensor->name;
      if (absl::ConsumeSuffix(&name, kLandmark) &&
          (name.empty() || absl::EndsWith(name, "."))) {
        found.emplace(name);
      }
    }
    for (absl::string_view usual : {kModule, absl::string_view()}) {
      if (found.count(std::string(usual)) != 0) {
        body_ = std::string(usual);
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
    head_ = std::string(absl::StripSuffix(body_, kModule));
    match_.warnings.push_back(absl::StrCat(
        "the names of all tensors begin with ",
        PrintableStart(head_.empty() ? body_ : head_),
        ", as torch.compile, DDP and others leave it; that is left out"));
    return true;
  }

  std::string NameOf(absl::string_view tensor) const {
    return absl::ConsumePrefix(&tensor, kModule) ? absl::StrCat(body_, tensor)
                                                 : absl::StrCat(head_, tensor);
  }

  bool IsTied() const { return table_.config.tie_word_embeddings; }

  const Weight* Find(const TensorEntry& tensor) {
    const Weight* weight = weights_.Find(NameOf(tensor.name));
    if (!IsTied() || tensor.name != kEmbedding) return weight;
    const Weight* head = weights_.Find(NameOf(kHead));
    if (head == nullptr) return weight;
    used_.insert(head->tensor->name);
    if (weight != nullptr) {
      match_.tied_head = head->tensor->name;
      return weight;
    }
    match_.warnings.push_back(
        absl::StrCat("the weights have ", PrintableStart(head->tensor->name),
                     " and no ", PrintableStart(NameOf(kEmbedding)),
                     "; the model ties them, so the one serves as both"));
    return head;
  }

  void MatchTensor(const TensorEntry& tensor) {
    ++wanted_;
    const Weight* weight = Find(tensor);
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
    } else if (!IsReadable(found.dtype)) {
      unreadable_.push_back(absl::StrCat(PrintableStart(found.name), " is ",
                                         DtypeName(found.dtype)));
    }
    match_.names.emplace(tensor.name, found.name);
  }

  // Names that nothing was found for, without the usual buffers.
  std::vector<std::string> Unused() const {
    std::vector<std::string> names;
    for (const Weight& weight : weights_.weights()) {
      const std::string& name = weight.tensor->name;
      if (!used_.contains(name) && !IsAttentionMask(name)) {
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
          " tensors that config.json asks for: ", List(missing_),
          unused.empty() ? ""
                         : absl::StrCat("; what they have and Hydra does not "
                                        "know: ",
                                        List(unused))));
    }
    if (!transposed_.empty()) {
      match_.mistakes.push_back(absl::StrCat(
          transposed_.size(),
          " tensors are stored transposed, as torch.nn.Linear and nanoGPT "
          "keep them and transformers' Conv1D does not: ",
          List(transposed_),
          "; transpose the weights of c_attn, c_proj and c_fc"));
    }
    if (!misshaped_.empty()) {
      match_.mistakes.push_back(
          absl::StrCat(misshaped_.size(),
                       " tensors have not the shape that config.json asks "
                       "for: ",
                       List(misshaped_)));
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
    if (const std::vector<std::string> unused = Unused(); !unused.empty()) {
      match_.warnings.push_back(absl::StrCat(
          unused.size(),
          " tensors of the weights are not used, and the trained model has "
          "them not: ",
          List(unused)));
    }
    std::vector<std::string> masks;
    for (const Weight& weight : weights_.weights()) {
      if (IsAttentionMask(weight.tensor->name)) {
        masks.push_back(PrintableStart(weight.tensor->name));
      }
    }
    if (!masks.empty()) {
      match_.warnings.push_back(
          absl::StrCat(masks.size(),
                       " attention masks of the weights are not read, since "
                       "every layer is causal without them: ",
                       List(masks)));
    }
  }

  const ModelTable& table_;
  const WeightDirectory& weights_;
  WeightMatch match_;
  // What stands before the names of the module's tensors, and of the head's.
  std::string body_ = std::string(kModule);
  std::string head_;
  absl::flat_hash_set<std::string> used_;
  int wanted_ = 0;
  std::vector<std::string> missing_;
  std::vector<std::string> transposed_;
  std::vector<std::string> misshaped_;
  std::vector<std::string> unreadable_;
};

}  // namespace

WeightMatch MatchWeights(const ModelTable& table,
                         const WeightDirectory& weights) {
  return Matcher(table, weights).Run();
}

absl::Status CheckTiedHead(const WeightMatch& match,
                           const WeightDirectory& weights) {
  if (match.tied_head.empty() || !match.mistakes.empty()) {
    return absl::OkStatus();
  }
  const std::string& embedding = match.names.at(kEmbedding);
  const safetensors::TensorInfo& body = *weights.Find(embedding)->tensor;
  const safetensors::TensorInfo& head = *weights.Find(match.tied_head)->tensor;
  const auto differ = [&](absl::string_view how) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the weights have ", PrintableStart(match.tied_head), " beside ",
        PrintableStart(embedding), ", and ", how,
        "; set tie_word_embeddings to false in config.json, as transformers "
        "would take it, or remove one of them"));
  };
  if (head.shape != body.shape) return differ("their shapes differ");
  if (!IsReadable(head.dtype)) {
    return differ(absl::StrCat("it is ", DtypeName(head.dtype)));
  }
  std::vector<float> of_body(std::min(body.elements, kPieceElements));
  std::vector<float> of_head(of_body.size());
  for (int64_t first = 0; first < body.elements; first += kPieceElements) {
    const int64_t count = std::min(kPieceElements, body.elements - first);
    absl::Status read = weights.ReadAsFloat32(
        embedding, first, absl::MakeSpan(of_body.data(), count));
    read.Update(weights.ReadAsFloat32(match.tied_head, first,
                                      absl::MakeSpan(of_head.data(), count)));
    if (!read.ok()) return read;
    const auto other = std::mismatch(of_body.begin(), of_body.begin() + count,
                                     of_head.begin());
    if (other.first != of_body.begin() + count) {
      return differ(absl::StrCat("they differ from element ",
                                 first + (other.first - of_body.begin()),
                                 " on"));
    }
  }
  return absl::OkStatus();
}

}  // namespace hydra

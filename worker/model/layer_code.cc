#include "worker/model/layer_code.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "c10/util/Exception.h"
#include "caffe2/serialize/inline_container.h"
#include "torch/csrc/jit/ir/ir.h"
#include "torch/csrc/jit/runtime/graph_executor.h"
#include "torch/csrc/jit/runtime/interpreter.h"
#include "torch/csrc/jit/serialization/import.h"

namespace hydra {
namespace {

constexpr char kForward[] = "forward";

// The executor that LibTorch has by default watches the first calls of a
// function and compiles it anew for what it saw; the plain one interprets what
// is written down. An error that LibTorch threw is then still of its own type,
// by which one that the device has no room for is known.
void InterpretPlainly() {
  torch::jit::getProfilingMode() = false;
  FLAGS_torch_jit_enable_rethrow_caught_exception = true;
}

absl::Status Refused(absl::string_view path, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

// The first line of what LibTorch says.
std::string FirstLine(const std::exception& error) {
  return std::string(*absl::StrSplit(error.what(), '\n').begin());
}

// Beside the module itself, and perhaps others that may be left out.
bool TakesOneArgument(const torch::jit::Method& forward) {
  const std::vector<c10::Argument>& arguments =
      forward.function().getSchema().arguments();
  if (arguments.size() < 2) return false;
  return std::all_of(arguments.begin() + 2, arguments.end(),
                     [](const c10::Argument& argument) {
                       return argument.default_value().has_value();
                     });
}

using torch::jit::Node;

// A value's own name in its module: "weight".
std::string AttributeName(const Node& node) { return node.s(c10::attr::name); }

// The first of a block's attributes, inner blocks' too, that it sets, or that
// an operation of it writes into: as soon as it was read, not behind a call.
std::optional<std::string> ChangedAttribute(const torch::jit::Block& block) {
  for (const Node* node : block.nodes()) {
    if (node->kind() == c10::prim::SetAttr) return AttributeName(*node);
    if (const c10::FunctionSchema* schema = node->maybeSchema()) {
      const std::vector<c10::Argument>& arguments = schema->arguments();
      const size_t count = std::min(arguments.size(), node->inputs().size());
      for (size_t i = 0; i < count; ++i) {
        const c10::AliasInfo* alias = arguments[i].alias_info();
        const Node* from = node->input(i)->node();
        if (alias != nullptr && alias->isWrite() &&
            from->kind() == c10::prim::GetAttr) {
          return AttributeName(*from);
        }
      }
    }
    for (const torch::jit::Block* inner : node->blocks()) {
      std::optional<std::string> changed = ChangedAttribute(*inner);
      if (changed.has_value()) return changed;
    }
  }
  return std::nullopt;
}

// The same of all methods of the module and of those inside of it.
std::optional<std::string> ChangedAttribute(const torch::jit::Module& module) {
  for (const torch::jit::Module& part : module.modules()) {
    for (const torch::jit::Method& method : part.get_methods()) {
      std::optional<std::string> changed =
          ChangedAttribute(*method.graph()->block());
      if (changed.has_value()) return changed;
    }
  }
  return std::nullopt;
}

// Tensors that are written into the code itself.
bool HasConstants(const std::string& bytes) {
  std::istringstream file(bytes);
  caffe2::serialize::PyTorchStreamReader reader(&file);
  for (const std::string& record : reader.getAllRecords()) {
    if (absl::StartsWith(record, "constants/")) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LayerCode>> LayerCode::Load(
    const std::string& bytes, absl::string_view path) {
  InterpretPlainly();
  try {
    if (HasConstants(bytes)) {
      return Refused(path,
                     "its code has tensors as constants; a layer makes what it "
                     "needs beside its parameters in its forward");
    }
    std::istringstream file(bytes);
    torch::jit::Module module =
        torch::jit::load(file, std::nullopt, /*load_debug_files=*/false);
    const auto forward = module.find_method(kForward);
    if (!forward.has_value() || !TakesOneArgument(*forward)) {
      return Refused(path, "it has no forward of one argument");
    }
    if (const auto changed = ChangedAttribute(module)) {
      return Refused(path,
                     absl::StrCat("its code changes its attribute ", *changed,
                                  "; a layer runs forward twice in a "
                                  "step, and keeps nothing"));
    }
    std::map<std::string, Place> places;
    for (const auto& owner : module.named_modules()) {
      const auto object = owner.value._ivalue();
      const c10::ClassTypePtr type = object->type();
      for (size_t slot = 0; slot < type->numAttributes(); ++slot) {
        const std::string name =
            absl::StrCat(owner.name, owner.name.empty() ? "" : ".",
                         type->getAttributeName(slot));
        // A bias that a layer has not is a parameter, too.
        if (!object->getSlot(slot).isTensor()) continue;
        if (type->is_parameter(slot)) {
          // What the file has there takes the device's memory.
          object->setSlot(slot, at::Tensor());
          places.emplace(name, Place{object, slot});
        } else {
          return Refused(path, absl::StrCat("the tensor ", name,
                                            " is no parameter; a layer makes "
                                            "what it needs beside these in its "
                                            "forward"));
        }
      }
    }
    return std::shared_ptr<const LayerCode>(
        new LayerCode(std::move(module), std::move(places), std::string(path)));
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat(path, ": ", error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return Refused(path, absl::StrCat("it is no TorchScript module that this "
                                      "worker's LibTorch reads: ",
                                      FirstLine(error)));
  }
}

LayerCode::LayerCode(torch::jit::Module module,
                     std::map<std::string, Place> places, std::string path)
    : path_(std::move(path)),
      places_(std::move(places)),
      module_(std::move(module)) {}

absl::Status LayerCode::CheckParameters(
    const std::vector<Names>& parameters) const {
  std::set<std::string> named;
  for (const Names& names : parameters) {
    for (const std::string& name : names) {
      if (places_.count(name) == 0) {
        return Refused(path_, absl::StrCat("it has no parameter ", name,
                                           ", which chain.json names"));
      }
      named.insert(name);
    }
  }
  for (const auto& [name, place] : places_) {
    if (named.count(name) == 0) {
      return Refused(path_, absl::StrCat("it has a parameter ", name,
                                         ", which chain.json does not name"));
    }
  }
  return absl::OkStatus();
}

void LayerCode::Put(const Names& names, const at::Tensor& tensor) const {
  for (const std::string& name : names) {
    const Place& place = places_.at(name);
    place.object->setSlot(place.slot, tensor);
  }
}

at::Tensor LayerCode::Run(const std::vector<Names>& parameters,
                          const std::vector<at::Tensor>& tensors,
                          const at::Tensor& input) const {
  TORCH_CHECK(parameters.size() == tensors.size(), path_, " computes with ",
              parameters.size(), " tensors, and was given ", tensors.size());
  const absl::MutexLock lock(&mu_);
  const auto forget = absl::MakeCleanup([&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const Names& names : parameters) Put(names, at::Tensor());
  });
  for (size_t i = 0; i < parameters.size(); ++i) Put(parameters[i], tensors[i]);
  const c10::IValue output = module_.forward({input});
  TORCH_CHECK(output.isTensor(), path_, " makes no tensor but a ",
              output.tagKind());
  return output.toTensor();
}

}  // namespace hydra

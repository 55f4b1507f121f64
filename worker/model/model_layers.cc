#include "worker/model/model_layers.h"

#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "worker/model/layer_code.h"

namespace hydra {
namespace {

// By the digests of their files.
using Codes = std::map<std::string, std::shared_ptr<const LayerCode>>;

absl::StatusOr<std::shared_ptr<const LayerCode>> LoadCode(
    const LayerFile& file, const ReadLayerFile& read) {
  if (read == nullptr) {
    return absl::PermissionDeniedError(absl::StrCat(
        file.name,
        " is code, and this server does not run code of an exported chain; its "
        "administrator can set allow_exported_chains (docs/daemon.md)"));
  }
  const absl::StatusOr<std::string> bytes = read(file.name);
  if (!bytes.ok()) return bytes.status();
  const std::string found = HexSha256(*bytes);
  if (found != file.sha256) {
    return absl::InvalidArgumentError(absl::StrCat(
        file.name, " is not the file that was exported: its SHA-256 is ", found,
        ", and chain.json says ", file.sha256));
  }
  return LayerCode::Load(*bytes, file.name);
}

// Null where the layer has no file.
absl::StatusOr<std::shared_ptr<const LayerCode>> CodeOf(
    const LayerEntry& layer, const ReadLayerFile& read, Codes& known) {
  if (!layer.file.has_value()) return nullptr;
  std::shared_ptr<const LayerCode>& code = known[layer.file->sha256];
  if (code == nullptr) {
    auto loaded = LoadCode(*layer.file, read);
    if (!loaded.ok()) return loaded.status();
    code = *std::move(loaded);
  }
  absl::Status right = code->CheckParameters(layer.file->parameters);
  if (!right.ok()) return right;
  return code;
}

}  // namespace

absl::StatusOr<ModelLayers> ModelLayers::Build(const ModelTable& table,
                                               const LayerRegistry& registry,
                                               const ReadLayerFile& read) {
  std::vector<std::unique_ptr<Layer>> layers;
  Codes codes;
  for (int i = 0; i < table.layer_count(); ++i) {
    auto code = CodeOf(table.layers[i], read, codes);
    if (!code.ok()) return code.status();
    absl::StatusOr<std::unique_ptr<Layer>> layer =
        registry.Make(table, i, *std::move(code));
    if (!layer.ok()) return layer.status();
    layers.push_back(*std::move(layer));
  }
  return ModelLayers(std::move(layers));
}

}  // namespace hydra

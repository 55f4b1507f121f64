#include "scheduler/storage/model_contents.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/file_user.h"
#include "common/file/private_places.h"
#include "scheduler/storage/tokenizer_files.h"

namespace hydra {

ModelContents ContentsOf(const ModelToWrite& model, const PoolFile& pool,
                         const std::vector<std::string>& read_roots) {
  ModelContents contents{model};
  for (const char* name : kTokenizerFiles) {
    const bool is_template = absl::string_view(name) == kTemplateFile;
    if (is_template && !model.chat_template.empty()) {
      contents.text_files.push_back({name, model.chat_template});
      continue;
    }
    const bool is_named = is_template && !model.chat_template_path.empty();
    contents.copied_files.push_back(
        {name, is_named ? model.chat_template_path
                        : absl::StrCat(model.tokenizer_dir, "/", name)});
  }
  std::set<std::string> copied;
  for (const LayerEntry& layer : model.table.layers) {
    if (!layer.file.has_value() || !copied.insert(layer.file->name).second) {
      continue;
    }
    contents.copied_files.push_back(
        {layer.file->name, absl::StrCat(model.model_dir, "/", layer.file->name),
         layer.file->sha256});
  }
  contents.access = AccessBelow(read_roots, UserOf(model.owner));
  contents.writer = WriterOf(model.directory, model.owner);
  for (const auto& [key, version] : model.blocks) {
    CheckpointBlock& block = contents.blocks.emplace_back();
    block.key = key;
    block.size_bytes = version.size_bytes;
    if (version.slot.has_value()) {
      block.bytes =
          pool.Range(version.slot->offset, version.slot->bytes).data();
    }
  }
  return contents;
}

}  // namespace hydra

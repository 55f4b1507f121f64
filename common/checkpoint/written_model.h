#ifndef HYDRA_COMMON_CHECKPOINT_WRITTEN_MODEL_H_
#define HYDRA_COMMON_CHECKPOINT_WRITTEN_MODEL_H_

#include <string>

#include "common/model/model_table.h"

namespace hydra {

// A model that is written to a directory: in a checkpoint, or as what its
// training made of it. Beside its blocks, which are told in several ways.
struct WrittenModel {
  // Where its files will be.
  std::string directory;
  ModelTable table;
  std::string config_json;
  // Where its tokenizer's files come from.
  std::string tokenizer_dir;
  // The template that it was trained with, where that is not the tokenizer's.
  std::string chat_template;
  // The file with it, where it was not kept.
  std::string chat_template_path;
  // The directory of the model that training began with: adapters are of that
  // one, and what goes along with the weights comes from there.
  std::string model_dir;
  // Of a model with adapters: write the whole model, with what they add to its
  // weights, in place of the adapters.
  bool merge_adapters = false;

  bool writes_adapters() const {
    return table.lora.has_value() && !merge_adapters;
  }
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_WRITTEN_MODEL_H_

#ifndef HYDRA_COMMON_JOBFILE_TRAINER_TOOL_H_
#define HYDRA_COMMON_JOBFILE_TRAINER_TOOL_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/jobfile/yaml_tree.h"

// Whose configuration a file is. Pure.
namespace hydra {

// What a tool does where its file is silent, in the tool's own words.
struct ToolDefault {
  absl::string_view key;
  absl::string_view value;
  // What is different about it here, if anything is.
  absl::string_view note = "";
};

struct TrainerTool {
  absl::string_view name;
  // Keys that such a file has, and few of another tool.
  absl::Span<const absl::string_view> marks;
  // Only those by which another model would be trained than by Hydra's own.
  absl::Span<const ToolDefault> defaults;
  // `dataset` has names of an index, not paths.
  bool has_dataset_index = false;
  // A text file is one row of tokens, as here; else each of its lines is a row
  // of its own.
  bool reads_whole_text = false;
  // A key without a value is as if it was not there; else that is a value.
  bool null_is_default = false;
  // What trains adapters: this value of this key. Empty: nothing says it.
  absl::string_view adapter_key = "";
  absl::string_view adapter_value = "";
  // It does that where the key is not there, and lora_alpha then is twice the
  // rank.
  bool has_adapters_unasked = false;
  // Where it computes in bf16, parameters that are trained lie in it too, and
  // so do their moments; adapters do not.
  bool has_bf16_weights = false;
};

// The tool with the most marks among the keys of `root`, a map. Null: fewer
// than two keys are any tool's, so the file is something else.
const TrainerTool* RecogniseTool(const YamlNode& root);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_TRAINER_TOOL_H_

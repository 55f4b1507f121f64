#include "tests/chaos/tiny_job.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kTokens = 64;
// But for the vocabulary's size.
constexpr char kConfig[] = R"({
  "model_type": "gpt2", "n_positions": 8, "n_embd": 8,
  "n_layer": 1, "n_head": 1, "activation_function": "gelu_new",
  "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
  "architectures": ["GPT2LMHeadModel"], "bos_token_id": 0,
  "eos_token_id": 0, "vocab_size": )";

}  // namespace

v1::SubmitRequest TinySweep(const std::string& directory, int jobs,
                            int vocabulary) {
  std::filesystem::create_directories(directory + "/tiny");
  WriteFile(directory + "/tiny/config.json",
            absl::StrCat(kConfig, vocabulary, "}"));
  std::string tokens;
  for (int i = 0; i < kTokens; ++i) {
    tokens.push_back(static_cast<char>(i));
    tokens.push_back('\0');
  }
  WriteFile(directory + "/tokens.bin", tokens);

  v1::SubmitRequest request;
  v1::JobSpec& spec = *request.mutable_job();
  spec.set_name("tiny");
  spec.mutable_model()->set_path(directory + "/tiny");
  spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  spec.mutable_data()->add_train_files(directory + "/tokens.bin");
  spec.mutable_data()->set_format(v1::DATA_FORMAT_TOKENS_U16);
  v1::TrainSpec& train = *spec.mutable_train();
  train.set_max_steps(1);
  train.set_per_device_train_batch_size(1);
  train.set_context_length(8);
  train.set_optim(v1::OPTIMIZER_SGD);
  train.set_learning_rate(0.1);
  spec.mutable_output()->set_save_model(false);
  spec.mutable_checkpoint()->set_every_minutes(0);
  if (jobs > 1) {
    v1::GridAxis& axis = *request.add_grid();
    axis.set_field("train.seed");
    for (int seed = 1; seed <= jobs; ++seed) {
      axis.add_values(absl::StrCat(seed));
    }
  }
  return request;
}

}  // namespace hydra

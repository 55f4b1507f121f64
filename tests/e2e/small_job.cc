#include "tests/e2e/small_job.h"

#include <filesystem>
#include <random>

#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace fs = std::filesystem;

// Words of a small language, so that there is something to learn.
std::string Tokens(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes;
  uint32_t token = 1;
  for (int i = 0; i < count; ++i) {
    token = random() % 4 == 0 ? random() % 512 : (token * 7 + 3) % 512;
    bytes.push_back(static_cast<char>(token & 255));
    bytes.push_back(static_cast<char>(token >> 8));
  }
  return bytes;
}

constexpr char kWideConfig[] = R"({
  "model_type": "gpt2", "vocab_size": 50257, "n_positions": 32, "n_embd": 32,
  "n_layer": 3, "n_head": 4, "activation_function": "gelu_new",
  "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
  "architectures": ["GPT2LMHeadModel"], "bos_token_id": 50256,
  "eos_token_id": 50256})";

}  // namespace

std::string CopyOfFixture(const std::string& fixture,
                          const std::string& directory) {
  const std::string copy = directory + "/" + fixture;
  fs::create_directories(copy);
  for (const char* name : {"/config.json", "/model.safetensors"}) {
    WriteFile(copy + name, ReadFile("tests/parity/" + fixture + name));
  }
  return copy;
}

SmallJobFiles MakeSmallJobFiles(const std::string& directory) {
  SmallJobFiles files;
  files.tiny_model = CopyOfFixture("gpt2-tiny", directory);
  files.wide_model = directory + "/wide";
  fs::create_directories(files.wide_model);
  WriteFile(files.wide_model + "/config.json", kWideConfig);
  files.untied_model = directory + "/untied";
  fs::create_directories(files.untied_model);
  WriteFile(
      files.untied_model + "/config.json",
      absl::StrReplaceAll(
          kWideConfig, {{"\"vocab_size\"",
                         "\"tie_word_embeddings\": false, \"vocab_size\""}}));
  files.train_tokens = directory + "/train.bin";
  WriteFile(files.train_tokens, Tokens(4000, 1));
  files.validation_tokens = directory + "/validation.bin";
  WriteFile(files.validation_tokens, Tokens(700, 2));
  return files;
}

v1::JobSpec SmallJob(const SmallJobFiles& files,
                     const std::vector<int>& cut_points) {
  v1::JobSpec spec;
  spec.set_name("small");
  spec.mutable_model()->set_path(files.tiny_model);
  spec.mutable_data()->add_train_files(files.train_tokens);
  spec.mutable_data()->add_validation_files(files.validation_tokens);
  spec.mutable_data()->set_format(v1::DATA_FORMAT_TOKENS_U16);
  v1::TrainSpec& train = *spec.mutable_train();
  train.set_max_steps(6);
  train.set_per_device_train_batch_size(4);
  train.set_gradient_accumulation_steps(2);
  train.set_context_length(32);
  train.set_optim(v1::OPTIMIZER_ADAMW);
  train.set_learning_rate(1e-3);
  train.set_weight_decay(0.1);
  spec.mutable_evaluation()->set_eval_steps(3);
  for (int cut : cut_points) spec.mutable_partition()->add_cut_points(cut);
  return spec;
}

}  // namespace hydra

// A checkpoint with one file replaced. The input's first byte chooses the file
// and the rest is its new content; a new manifest gets its right sum, so that
// its text is looked at.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/file/scratch_directory.h"
#include "common/model/gpt2_table.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"
#include "xxhash.h"

namespace hydra {
namespace {

using worker::v1::BlockKind;

constexpr char kManifest[] = "hydra_checkpoint.json";
constexpr char kManifestSum[] = "hydra_checkpoint.json.xxh3";
constexpr int64_t kBoundaryBytes = 64;

ModelTable SmallTable() {
  Gpt2Config config;
  config.vocab_size = 3;
  config.n_positions = 2;
  config.n_embd = 2;
  config.n_layer = 1;
  config.n_head = 1;
  config.n_inner = 2;
  return BuildGpt2Table(config);
}

// A checkpoint inside a step, with blocks of every kind.
ModelContents SmallContents(const std::string& directory) {
  ModelContents contents;
  contents.directory = directory;
  contents.table = SmallTable();
  contents.config_json = "{}";
  // The content of every block.
  static const auto& zeros = *new std::vector<std::byte>(4096);
  auto add = [&](BlockKind kind, int index, int64_t bytes) {
    CHECK_LE(bytes, static_cast<int64_t>(zeros.size()));
    contents.blocks.push_back({{kind, index, 0}, bytes, zeros.data()});
  };
  const auto& blocks = contents.table.parameter_blocks;
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i) {
    add(worker::v1::BLOCK_KIND_PARAMETERS, i, blocks[i].size_bytes);
    add(worker::v1::BLOCK_KIND_OPTIMIZER_STATE, i, 2 * blocks[i].size_bytes);
  }
  add(worker::v1::BLOCK_KIND_ACTIVATION, 1, kBoundaryBytes);
  add(worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, 0, blocks[0].size_bytes);
  return contents;
}

checkpoint::v1::Manifest SmallManifest() {
  checkpoint::v1::Manifest manifest;
  manifest.set_job_id("7");
  manifest.add_cut_points(1);
  manifest.mutable_position()->set_phase(checkpoint::v1::Position::PHASE_TRAIN);
  manifest.mutable_spec()->mutable_train()->set_optim(v1::OPTIMIZER_ADAMW);
  return manifest;
}

class Checkpoint {
 public:
  Checkpoint() : contents_(SmallContents(scratch_.PathOf("checkpoint-1"))) {
    const auto written = WriteCheckpoint(contents_, SmallManifest(),
                                         [](size_t) { return true; });
    CHECK(written.ok()) << written.status();
    files_ = ReadFiles(contents_.directory);
    CHECK(files_.count(kManifest) == 1 && files_.count(kManifestSum) == 1);
  }

  void Try(size_t file, absl::string_view bytes) {
    const auto& [name, original] =
        *std::next(files_.begin(), file % files_.size());
    Put(name, bytes);
    if (name == kManifest) {
      Put(kManifestSum,
          absl::StrFormat("%016x\n", XXH3_64bits(bytes.data(), bytes.size())));
    }
    const bool is_accepted = IsAccepted();
    // Every byte of the other files has a sum.
    if (name != kManifest) CHECK_EQ(is_accepted, bytes == original) << name;
    Put(name, original);
    Put(kManifestSum, files_[kManifestSum]);
  }

 private:
  void Put(const std::string& name, absl::string_view bytes) {
    WriteFile(contents_.directory + "/" + name, bytes);
  }

  bool IsAccepted() {
    const auto reader = CheckpointReader::Open(contents_.directory);
    CheckSpeaksPlainly(reader.status());
    if (!reader.ok()) return false;
    ReadBlocks(*reader);
    const absl::Status verified = reader->Verify();
    CheckSpeaksPlainly(verified);
    return verified.ok();
  }

  void ReadBlocks(const CheckpointReader& reader) {
    for (const CheckpointBlock& block : contents_.blocks) {
      std::vector<std::byte> bytes(block.size_bytes);
      CheckSpeaksPlainly(
          reader.ReadBlock(block.key, contents_.table, absl::MakeSpan(bytes)));
    }
  }

  ScratchDirectory scratch_;
  ModelContents contents_;
  std::map<std::string, std::string> files_;
};

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static hydra::Checkpoint checkpoint;
  if (size == 0) return 0;
  checkpoint.Try(data[0], {reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}

#ifndef HYDRA_COMMON_CHECKPOINT_TESTING_H_
#define HYDRA_COMMON_CHECKPOINT_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "common/checkpoint/model_files.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

std::string WithBitFlipped(std::string bytes, size_t bit);
// In the file itself.
void FlipBit(const std::string& path, size_t bit);

// A GPT-2 with a tied head, a few KB.
ModelTable SmallTable(int64_t vocabulary = 37, int64_t blocks = 2);
hydra::v1::TrainSpec AdamWSpec();
checkpoint::v1::Manifest SmallManifest();

// A checkpoint inside a step of that model, with two micro-batches: blocks of
// all kinds, states between the parameters, numbers drawn from `seed`.
class TestCheckpoint {
 public:
  TestCheckpoint(const std::string& directory, uint32_t seed);

  // Copies a file, wherever it lies, into the checkpoint.
  void CopyFrom(const std::string& source_directory, const std::string& name);

  ModelContents contents;
  checkpoint::v1::Manifest manifest = SmallManifest();

 private:
  void Add(worker::v1::BlockKind kind, int index, int micro_batch,
           int64_t size_bytes);
  void DrawTensors(const ParameterBlock& block, std::byte* bytes);

  std::mt19937 random_;
  std::vector<std::vector<std::byte>> memory_;
};

// Writes it without looking at what was written; returns the status.
absl::Status Write(const TestCheckpoint& checkpoint);

// Every block of `checkpoint` is in its directory, bit for bit.
void ExpectOnDisk(const TestCheckpoint& checkpoint);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_TESTING_H_

// How fast a checkpoint is written to a disk and read back, beside a plain
// write and fsync of as many bytes, and what CPU time that takes.

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/model/gpt2_table.h"

namespace hydra {
namespace {

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) +
                               absl::DurationFromTimeval(usage.ru_stime));
}

void Print(const char* what, double gib, double seconds, double cpu_seconds) {
  std::printf("%-24s %8.2f s %8.0f MiB/s %8.3f CPU s/GiB\n", what, seconds,
              1024 * gib / seconds, cpu_seconds / gib);
}

template <typename Work>
absl::Status Time(const char* what, double gib, Work work) {
  const absl::Time start = absl::Now();
  const double cpu_seconds = CpuSeconds();
  absl::Status status = work();
  Print(what, gib, absl::ToDoubleSeconds(absl::Now() - start),
        CpuSeconds() - cpu_seconds);
  return status;
}

// As dd does with bs=1M conv=fsync.
absl::Status WritePlainly(const std::string& path,
                          const std::vector<CheckpointBlock>& blocks) {
  constexpr int64_t kPieceBytes = 1 << 20;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  bool written = fd >= 0;
  for (const CheckpointBlock& block : blocks) {
    for (int64_t done = 0; written && done < block.size_bytes;) {
      const int64_t bytes = std::min(kPieceBytes, block.size_bytes - done);
      written = write(fd, block.bytes + done, bytes) == bytes;
      done += bytes;
    }
  }
  written = written && fsync(fd) == 0;
  close(fd);
  return written ? absl::OkStatus()
                 : absl::ErrnoToStatus(errno, absl::StrCat("writing ", path));
}

absl::Status ReadAll(const ModelContents& contents) {
  const auto reader = CheckpointReader::Open(contents.directory);
  if (!reader.ok()) return reader.status();
  std::vector<std::byte> out;
  for (const CheckpointBlock& block : contents.blocks) {
    out.resize(block.size_bytes);
    absl::Status status =
        reader->ReadBlock(block.key, contents.table, absl::MakeSpan(out));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

ModelTable Gpt2Table(int layers) {
  Gpt2Config config;
  config.vocab_size = 50257;
  config.n_positions = 1024;
  config.n_embd = 768;
  config.n_layer = layers;
  config.n_head = 12;
  config.n_inner = 4 * config.n_embd;
  return BuildGpt2Table(config);
}

// All blocks in `memory`, filled at random: a disk may compress.
ModelContents MakeContents(const std::string& folder, int layers,
                           std::vector<std::vector<std::byte>>* memory) {
  ModelContents contents;
  contents.directory =
      absl::StrCat(folder, "/", CheckpointDirectoryName({0, false}));
  contents.table = Gpt2Table(layers);
  std::mt19937_64 random(1);
  const auto add = [&](worker::v1::BlockKind kind, int index, int64_t bytes) {
    memory->emplace_back(bytes);
    auto* words = reinterpret_cast<uint64_t*>(memory->back().data());
    std::generate_n(words, bytes / sizeof(uint64_t), std::ref(random));
    contents.blocks.push_back({{kind, index, 0}, bytes, memory->back().data()});
  };
  const auto& blocks = contents.table.parameter_blocks;
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i) {
    add(worker::v1::BLOCK_KIND_PARAMETERS, i, blocks[i].size_bytes);
    add(worker::v1::BLOCK_KIND_OPTIMIZER_STATE, i, 2 * blocks[i].size_bytes);
  }
  return contents;
}

absl::Status TimePlain(const std::string& folder, double gib,
                       const ModelContents& contents) {
  const std::string path = absl::StrCat(folder, "/plain");
  absl::Status status = Time("plain write and fsync", gib, [&] {
    return WritePlainly(path, contents.blocks);
  });
  unlink(path.c_str());
  return status;
}

absl::Status TimeCheckpoint(double gib, const ModelContents& contents) {
  checkpoint::v1::Manifest manifest;
  manifest.mutable_spec()->mutable_train()->set_optim(
      hydra::v1::OPTIMIZER_ADAMW);
  absl::Status status = Time("checkpoint", gib, [&] {
    return WriteCheckpoint(contents, manifest, [](size_t) { return true; })
        .status();
  });
  if (!status.ok()) return status;
  status = Time("read from page cache", gib, [&] { return ReadAll(contents); });
  if (!status.ok()) return status;
  return RemoveCheckpoint(contents.directory);
}

// Which one comes first matters: the second one finds freed pages.
absl::Status RunOnce(const std::string& folder, bool plain_first,
                     const ModelContents& contents) {
  int64_t total_bytes = 0;
  for (const CheckpointBlock& block : contents.blocks) {
    total_bytes += block.size_bytes;
  }
  const double gib = static_cast<double>(total_bytes) / (1 << 30);
  absl::Status status;
  if (plain_first) status = TimePlain(folder, gib, contents);
  if (status.ok()) status = TimeCheckpoint(gib, contents);
  if (status.ok() && !plain_first) status = TimePlain(folder, gib, contents);
  return status;
}

int Main(int argc, char** argv) {
  std::string folder;
  int layers = 7;
  int runs = 4;
  CLI::App app("Times writing and reading a checkpoint of a GPT-2 with AdamW");
  app.add_option("--dir", folder, "A directory on the disk")->required();
  app.add_option("--layers", layers, "Of the model; 7 make 1 GiB")
      ->capture_default_str();
  app.add_option("--runs", runs, "How often")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::vector<std::vector<std::byte>> memory;
  const ModelContents contents = MakeContents(folder, layers, &memory);
  for (int run = 0; run < runs; ++run) {
    const absl::Status status = RunOnce(folder, run % 2 == 0, contents);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) { return hydra::Main(argc, argv); }

// Prints, for each text file: its tokens, the SHA-256 of their ids as
// little-endian int32, and the tokens encoded in a second on one thread.

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/hash/sha256.h"
#include "worker/data/posix_file.h"
#include "worker/data/text_tokenizer.h"

namespace hydra {
namespace {

absl::Status Report(const std::string& path, TextTokenizer* tokenizer) {
  const absl::StatusOr<std::string> text = ReadWholeFile(path);
  if (!text.ok()) return text.status();
  std::vector<uint32_t> ids;
  const absl::Time begin = absl::Now();
  tokenizer->Encode(*text, &ids);
  const absl::Duration elapsed = absl::Now() - begin;
  Sha256 sha;
  sha.Update({reinterpret_cast<const char*>(ids.data()),
              ids.size() * sizeof(uint32_t)});
  std::cout << absl::StreamFormat("%s: %d tokens, sha256 %s, %.0f tokens/s\n",
                                  path, ids.size(),
                                  absl::BytesToHexString(sha.Finish()),
                                  ids.size() / absl::ToDoubleSeconds(elapsed));
  return absl::OkStatus();
}

absl::Status ReportAll(const std::string& directory,
                       const std::vector<std::string>& paths) {
  const auto tokenizer = TextTokenizer::Load(directory);
  if (!tokenizer.ok()) return tokenizer.status();
  for (const std::string& path : paths) {
    const absl::Status reported = Report(path, tokenizer->get());
    if (!reported.ok()) return reported;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  std::string directory;
  std::vector<std::string> paths;
  CLI::App app("Tokenizes text files, and says how fast.");
  app.add_option("--tokenizer", directory,
                 "Directory with tokenizer.json, or vocab.json and merges.txt")
      ->required();
  app.add_option("files", paths, "Text files")->required();
  CLI11_PARSE(app, argc, argv);

  const absl::Status status = hydra::ReportAll(directory, paths);
  if (status.ok()) return 0;
  std::cerr << status.message() << "\n";
  return 1;
}

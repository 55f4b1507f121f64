#include "scheduler/journal/testing/scratch_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "gtest/gtest.h"

namespace hydra {

ScratchDirectory::ScratchDirectory() : path_("/dev/shm/hydra.XXXXXX") {
  if (mkdtemp(path_.data()) != nullptr) return;
  path_ = absl::StrCat(testing::TempDir(), "hydra.XXXXXX");
  PCHECK(mkdtemp(path_.data()) != nullptr) << path_;
}

ScratchDirectory::~ScratchDirectory() { std::filesystem::remove_all(path_); }

std::string ScratchDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

void ScratchDirectory::Empty() const {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    std::filesystem::remove_all(entry.path());
  }
}

std::string ReadFileBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteFileBytes(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  PCHECK(file.good()) << path;
}

}  // namespace hydra

#include "tests/fuzz/fuzz_directory.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

std::string Parent() {
  for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
    if (const char* path = getenv(name); path != nullptr) return path;
  }
  return "/tmp";
}

}  // namespace

FuzzDirectory::FuzzDirectory() : path_(absl::StrCat(Parent(), "/fuzz.XXXXXX")) {
  PCHECK(mkdtemp(path_.data()) != nullptr) << path_;
}

FuzzDirectory::~FuzzDirectory() { fs::remove_all(path_); }

std::string FuzzDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  PCHECK(file.good()) << path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  PCHECK(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file),
                     std::istreambuf_iterator<char>());
}

std::map<std::string, std::string> ReadFiles(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  return files;
}

}  // namespace hydra

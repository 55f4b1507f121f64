#include "common/file/scratch_directory.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

std::string Parent(ScratchPlace place) {
  constexpr char kMemory[] = "/dev/shm";
  if (place == ScratchPlace::kMemory && access(kMemory, W_OK) == 0) {
    return kMemory;
  }
  return fs::canonical(fs::temp_directory_path()).string();
}

}  // namespace

ScratchDirectory::ScratchDirectory(ScratchPlace place)
    : path_(absl::StrCat(Parent(place), "/hydra-test-XXXXXX")) {
  PCHECK(mkdtemp(path_.data()) != nullptr) << path_;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string ScratchDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string ScratchDirectory::Write(absl::string_view name,
                                    absl::string_view bytes) const {
  WriteFile(PathOf(name), bytes);
  return PathOf(name);
}

std::string ScratchDirectory::Read(absl::string_view name) const {
  return ReadFile(PathOf(name));
}

void ScratchDirectory::MakeDirectory(absl::string_view name) const {
  CHECK(fs::create_directory(PathOf(name))) << name;
}

std::vector<std::string> ScratchDirectory::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void ScratchDirectory::Empty() const {
  for (const auto& entry : fs::directory_iterator(path_)) {
    fs::remove_all(entry.path());
  }
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  PCHECK(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  PCHECK(file.good()) << path;
}

std::map<std::string, std::string> ReadFiles(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = ReadFile(entry.path().string());
  }
  return files;
}

}  // namespace hydra

#include "common/safetensors/temp_directory.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {

TempDirectory::TempDirectory()
    : path_(absl::StrCat(testing::TempDir(), "/safetensors-XXXXXX")) {
  if (mkdtemp(path_.data()) == nullptr) {
    ADD_FAILURE() << "cannot create " << path_;
  }
  path_ = std::filesystem::canonical(path_).string();
}

TempDirectory::~TempDirectory() { std::filesystem::remove_all(path_); }

std::string TempDirectory::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string TempDirectory::Write(absl::string_view name,
                                 absl::string_view bytes) const {
  std::ofstream file(PathOf(name), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  EXPECT_TRUE(file.good()) << name;
  return PathOf(name);
}

void TempDirectory::MakeDirectory(absl::string_view name) const {
  EXPECT_TRUE(std::filesystem::create_directory(PathOf(name)));
}

std::string TempDirectory::Read(absl::string_view name) const {
  std::ifstream file(PathOf(name), std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> TempDirectory::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string FileBytesOf(absl::string_view header, absl::string_view data) {
  std::string prefix;
  for (int i = 0; i < 8; ++i) {
    prefix.push_back(
        static_cast<char>(static_cast<uint64_t>(header.size()) >> (8 * i)));
  }
  return absl::StrCat(prefix, header, data);
}

}  // namespace hydra::safetensors

#include "scheduler/service/partition_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace hydra {
namespace {

namespace fs = std::filesystem;

std::string FreshDirectory() {
  const std::string path = ::testing::TempDir() + "/partitions";
  fs::remove_all(path);
  fs::create_directories(path);
  return path;
}

TEST(PartitionStoreTest, GivesBackWhatWasStored) {
  const PartitionStore store(FreshDirectory());
  hydra::v1::Partition partition;
  partition.add_cut_points(3);
  partition.add_layers()->set_parameter_bytes(1 << 30);
  ASSERT_TRUE(store.Store("gpt2 width=8", partition).ok());
  const auto loaded = store.Load();
  ASSERT_EQ(loaded.count("gpt2 width=8"), 1);
  EXPECT_EQ(loaded.at("gpt2 width=8").SerializeAsString(),
            partition.SerializeAsString());
}

TEST(PartitionStoreTest, LeavesOutFilesThatItCannotRead) {
  const std::string directory = FreshDirectory();
  std::ofstream(directory + "/broken.json") << "{\"key\": 3, \"partition\"";
  std::ofstream(directory + "/other.json") << "[]";
  std::ofstream(directory + "/no_key.json") << "{\"partition\": {}}";
  std::ofstream(directory + "/no_partition.json") << "{\"key\": \"k\"}";
  std::ofstream(directory + "/deep.json") << std::string(1 << 20, '[');
  EXPECT_TRUE(PartitionStore(directory).Load().empty());
}

TEST(PartitionStoreTest, ReadsFilesOfEarlierVersions) {
  const std::string directory = FreshDirectory();
  std::ofstream(directory + "/older.json")
      << R"({"key": "k", "partition": {"cut_points": [3], "layers": [)"
         R"({"parameter_bytes": "1073741824"}]}})";
  const auto loaded = PartitionStore(directory).Load();
  ASSERT_EQ(loaded.count("k"), 1);
  EXPECT_EQ(loaded.at("k").cut_points(0), 3);
  EXPECT_EQ(loaded.at("k").layers(0).parameter_bytes(), 1 << 30);
}

TEST(PartitionStoreTest, SaysWhenItCannotWrite) {
  EXPECT_FALSE(PartitionStore("/no/such/folder").Store("key", {}).ok());
}

}  // namespace
}  // namespace hydra

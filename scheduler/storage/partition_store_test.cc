#include "scheduler/storage/partition_store.h"

#include <gtest/gtest.h>

#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

TEST(PartitionStoreTest, GivesBackWhatWasStored) {
  const ScratchDirectory directory;
  const PartitionStore store(directory.path());
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
  const ScratchDirectory directory;
  directory.Write("broken.json", "{\"key\": 3, \"partition\"");
  directory.Write("other.json", "[]");
  directory.Write("no_key.json", "{\"partition\": {}}");
  directory.Write("no_partition.json", "{\"key\": \"k\"}");
  directory.Write("deep.json", std::string(1 << 20, '['));
  EXPECT_TRUE(PartitionStore(directory.path()).Load().empty());
}

TEST(PartitionStoreTest, ReadsFilesOfEarlierVersions) {
  const ScratchDirectory directory;
  directory.Write("older.json",
                  R"({"key": "k", "partition": {"cut_points": [3], "layers": [)"
                  R"({"parameter_bytes": "1073741824"}]}})");
  const auto loaded = PartitionStore(directory.path()).Load();
  ASSERT_EQ(loaded.count("k"), 1);
  EXPECT_EQ(loaded.at("k").cut_points(0), 3);
  EXPECT_EQ(loaded.at("k").layers(0).parameter_bytes(), 1 << 30);
}

TEST(PartitionStoreTest, SaysWhenItCannotWrite) {
  EXPECT_FALSE(PartitionStore("/no/such/folder").Store("key", {}).ok());
}

}  // namespace
}  // namespace hydra

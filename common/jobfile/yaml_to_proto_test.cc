#include "common/jobfile/yaml_to_proto.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hydra/config/v1/daemon.pb.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

template <typename Message>
Mistakes Read(absl::string_view text, Message* message) {
  const absl::StatusOr<YamlNode> root = ParseYaml(text);
  EXPECT_TRUE(root.ok()) << root.status();
  Mistakes mistakes;
  YamlToProto(*root, {}, message, &mistakes);
  return mistakes;
}

TEST(YamlToProtoTest, FillsNestedRepeatedAndOptionalFields) {
  config::v1::DaemonConfig config;
  const Mistakes mistakes = Read(R"(
state_dir: /var/lib/hydra
pool: {size_bytes: 8GiB}
lookahead: 0
read_roots: [/a, /b]
devices:
  - name: cpu:0
    memory_limit_bytes: 512 MiB
  - {name: 'cpu:1', threads: 2}
)",
                                 &config);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  EXPECT_EQ(config.pool().size_bytes(), int64_t{8} << 30);
  EXPECT_TRUE(config.has_lookahead());
  EXPECT_EQ(config.read_roots(1), "/b");
  ASSERT_EQ(config.devices_size(), 2);
  EXPECT_EQ(config.devices(0).memory_limit_bytes(), 512 << 20);
  EXPECT_EQ(config.devices(1).name(), "cpu:1");
}

TEST(YamlToProtoTest, TakesOneValueForAList) {
  config::v1::DaemonConfig config;
  const Mistakes mistakes =
      Read("read_roots: /a\ndevices: {name: cpu:0}\n", &config);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  EXPECT_EQ(config.read_roots(0), "/a");
  EXPECT_EQ(config.devices(0).name(), "cpu:0");
}

TEST(YamlToProtoTest, EmptySectionsAndListsChangeNothing) {
  v1::JobSpec job;
  const Mistakes mistakes = Read("evaluation:\ndata: {test_files: []}\n", &job);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  EXPECT_FALSE(job.has_evaluation());
  EXPECT_TRUE(job.data().test_files().empty());
}

TEST(YamlToProtoTest, TextMayLookLikeANumber) {
  v1::JobSpec job;
  EXPECT_TRUE(Read("name: 007\n", &job).empty());
  EXPECT_EQ(job.name(), "007");
}

TEST(YamlToProtoTest, ReadsOnAfterMistakes) {
  v1::JobSpec job;
  const Mistakes mistakes =
      Read("train:\n  seed: x\n  max_steps: 5\nmodel: 3\nname: a\n", &job);
  EXPECT_EQ(mistakes.size(), 2);
  EXPECT_EQ(job.train().max_steps(), 5);
  EXPECT_EQ(job.name(), "a");
}

TEST(YamlToProtoTest, NamesPositionsInLists) {
  config::v1::DaemonConfig config;
  const Mistakes mistakes = Read(
      "devices:\n- {name: cpu:0}\n- {memory: 1}\n- 7\n"
      "read_roots: [/a, [/b]]\n",
      &config);
  EXPECT_EQ(ToStatus(mistakes).message(),
            "devices[1].memory: line 3: unknown key 'memory'; known here: "
            "name, memory_limit_bytes, threads, link\n"
            "devices[2]: line 4: expected a section of keys, found '7'\n"
            "read_roots[1]: line 5: expected text, found a list");
}

TEST(YamlToProtoTest, StopsAtTheLimitOfMistakes) {
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    absl::StrAppend(&text, "learning", i, ": 1\n");
  v1::JobSpec job;
  EXPECT_EQ(Read(text, &job).size(), kMaxMistakes);
}

}  // namespace
}  // namespace hydra

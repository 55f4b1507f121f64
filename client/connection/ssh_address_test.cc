#include "client/connection/ssh_address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(SshAddressTest, HasUserPortAndPathOrLeavesThemToTheOtherSide) {
  const SshAddress whole = *ParseSshAddress("ssh://ann@gpu1:2222/run/h.sock");
  EXPECT_EQ(whole.host, "gpu1");
  EXPECT_EQ(whole.user, "ann");
  EXPECT_EQ(whole.port, "2222");
  EXPECT_EQ(whole.socket_path, "/run/h.sock");
  for (const char* text : {"ssh://gpu1", "ssh://gpu1/"}) {
    const SshAddress least = *ParseSshAddress(text);
    EXPECT_EQ(least.host, "gpu1");
    EXPECT_EQ(least.user + least.port + least.socket_path, "");
  }
  const SshAddress numbers = *ParseSshAddress("ssh://[fe80::1]:22");
  EXPECT_EQ(numbers.host, "fe80::1");
  EXPECT_EQ(numbers.port, "22");
}

TEST(SshAddressTest, RefusesWhatIsNoneAndWhatSshWouldTakeForAnOption) {
  for (const char* bad :
       {"ssh://", "ssh://:22", "ssh:///path", "ssh://@gpu1", "ssh://gpu1:",
        "ssh://gpu1:x", "ssh://gpu1:70000", "ssh://gpu1:+22", "ssh://a b",
        "ssh://-oProxyCommand=x", "ssh://-lx@gpu1", "ssh://[fe80::1", "gpu1"}) {
    EXPECT_EQ(ParseSshAddress(bad).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

TEST(SshCommandTest, RunsAProxyThere) {
  const auto least = SshCommand(*ParseSshAddress("ssh://gpu1"));
  ASSERT_EQ(least.size(), 5);
  EXPECT_THAT(std::vector(least.begin(), least.end() - 1),
              ElementsAre("ssh", "-T", "--", "gpu1"));
  EXPECT_THAT(least.back(), HasSubstr("hydractl proxy"));
  EXPECT_THAT(least.back(), EndsWith("' hydra"));
}

TEST(SshCommandTest, APathIsOneWordForTheShellThere) {
  const auto whole =
      SshCommand(*ParseSshAddress("ssh://ann@gpu1:22/it's a $(path)"));
  EXPECT_THAT(std::vector(whole.begin(), whole.end() - 1),
              ElementsAre("ssh", "-T", "-p", "22", "-l", "ann", "--", "gpu1"));
  EXPECT_THAT(whole.back(),
              EndsWith("' hydra --server 'unix:/it'\\''s a $(path)'"));
}

}  // namespace
}  // namespace hydra

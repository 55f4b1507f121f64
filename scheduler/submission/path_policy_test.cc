#include "scheduler/submission/path_policy.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/file/private_places.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

class PathPolicyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) / "path_policy";
    fs::remove_all(root_);
    fs::create_directories(root_ / "in/sub");
    fs::create_directories(root_ / "outside");
    std::ofstream(root_ / "in/data") << "text";
    std::ofstream(root_ / "in/empty");
    std::ofstream(root_ / "outside/secret") << "text";
    fs::create_symlink(root_ / "outside/secret", root_ / "in/link");
  }

  absl::StatusCode Read(const std::string& path) {
    return policy().CheckReadableFile(root_ / path).code();
  }
  PathPolicy policy() { return PathPolicy({root_ / "in"}, {root_ / "in/sub"}); }

  fs::path root_;
};

TEST_F(PathPolicyTest, ReadsFilesBelowTheRoots) {
  EXPECT_EQ(Read("in/data"), absl::StatusCode::kOk);
  EXPECT_EQ(Read("in/nothing"), absl::StatusCode::kNotFound);
  EXPECT_EQ(Read("in/empty"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read("in/sub"), absl::StatusCode::kInvalidArgument);
}

TEST_F(PathPolicyTest, RefusesWhatLeadsOutOfTheRoots) {
  EXPECT_EQ(Read("outside/secret"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Read("in/../outside/secret"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Read("in/link"), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(PathPolicy({}, {}).CheckReadableFile(root_ / "outside/secret"),
            absl::OkStatus());
}

TEST_F(PathPolicyTest, ANameThatOnlyBeginsLikeARootIsOutside) {
  fs::create_directories(root_ / "in-not");
  std::ofstream(root_ / "in-not/data") << "text";
  EXPECT_EQ(Read("in-not/data"), absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, WritesBelowTheOutputRootsAlone) {
  EXPECT_TRUE(policy().OutputDirectory(root_ / "in/sub/new/one").ok());
  EXPECT_FALSE(fs::exists(root_ / "in/sub/new"));
  EXPECT_EQ(policy().OutputDirectory(root_ / "in").status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(policy().OutputDirectory(root_ / "in/sub/../../x").status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, WarnsWhereOthersMayRenameWhatIsMade) {
  const auto warning = [&](mode_t mode) {
    EXPECT_EQ(chmod((root_ / "in/sub").c_str(), mode), 0);
    return policy().OutputWarning(root_ / "in/sub/new/one");
  };
  for (const mode_t mode : {0755, 02750, 03770, 01777}) {
    EXPECT_EQ(warning(mode), "") << std::oct << mode;
  }
  for (const mode_t mode : {02770, 0702}) {
    EXPECT_NE(warning(mode), "") << std::oct << mode;
  }
  EXPECT_EQ(
      warning(02770).find((root_ / "in/sub").string() + " has mode 2770: "), 0);
  EXPECT_NE(warning(02770).find("chmod +t"), std::string::npos);
  EXPECT_EQ(
      PathPolicy({}, {}, root_ / "in/sub").OutputWarning(root_ / "in/sub"), "");
}

TEST_F(PathPolicyTest, NothingIsWrittenBelowAFile) {
  std::ofstream(root_ / "in/sub/file") << "text";
  EXPECT_EQ(policy().OutputDirectory(root_ / "in/sub/file/new").status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(PathPolicyTest, RootsThatCannotBeFollowedAllowNothing) {
  fs::create_symlink("loop", root_ / "loop");
  const PathPolicy policy({root_ / "loop"}, {root_ / "loop"});
  EXPECT_EQ(policy.CheckReadableFile(root_ / "in/data").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(policy.OutputDirectory(root_ / "in/sub").status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(policy.access().real_roots.empty());
}

TEST_F(PathPolicyTest, WhatIsHydradsOwnIsNeitherReadNorWritten) {
  SetPrivatePlaces({root_ / "in/sub"});
  fs::create_directories(root_ / "in/sub/outputs");
  std::ofstream(root_ / "in/sub/jobs.db") << "text";
  const PathPolicy policy({}, {root_}, root_ / "in/sub/outputs");
  EXPECT_EQ(policy.CheckReadableFile(root_ / "in/sub/jobs.db").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(policy.CheckReadableDirectory(root_ / "in/sub").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(
      policy.OutputDirectory(root_ / "in/sub/outputs/j9-x").status().code(),
      absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(policy.OutputDirectory(root_ / "in/sub/outputs").ok());
  EXPECT_TRUE(policy.OutputDirectory(root_ / "outside").ok());
  SetPrivatePlaces({});
}

TEST_F(PathPolicyTest, AnOutputDirectoryIsGivenWithoutItsLinks) {
  fs::create_directory_symlink(root_ / "in/sub", root_ / "alias");
  for (const char* same :
       {"alias/new", "alias/new/", "alias/new/.", "alias/./new",
        "alias/none/../new", "alias/none/../../sub/new"}) {
    EXPECT_EQ(*policy().OutputDirectory(root_ / same),
              fs::canonical(root_ / "in/sub").string() + "/new")
        << same;
  }
  for (const char* same : {"alias", "alias/", "alias/.", "alias/none/.."}) {
    EXPECT_EQ(*policy().OutputDirectory(root_ / same),
              fs::canonical(root_ / "in/sub").string())
        << same;
  }
}

}  // namespace
}  // namespace hydra

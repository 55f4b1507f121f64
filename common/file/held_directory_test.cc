#include "common/file/held_directory.h"

#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

mode_t ModeOf(const std::string& path) {
  struct stat facts;
  EXPECT_EQ(lstat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & ALLPERMS;
}

class HeldDirectoryTest : public testing::Test {
 protected:
  // "a/b/c", and "other/b/c" with a file in it that is somebody else's.
  HeldDirectoryTest() {
    fs::create_directories(folder_.PathOf("a/b/c"));
    fs::create_directories(folder_.PathOf("other/b/c"));
    folder_.Write("other/b/c/f", "another's");
  }
  ~HeldDirectoryTest() override {
    EXPECT_EQ(folder_.Read("other/b/c/f"), "another's");
  }

  HeldDirectory Open(const std::string& name) {
    auto opened = HeldDirectory::Open(folder_.PathOf(name));
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }

  // A link to another's in the place of a directory, which goes elsewhere.
  void Swap(const std::string& name, const std::string& target) {
    fs::rename(folder_.PathOf(name), folder_.PathOf(name + ".moved"));
    fs::create_directory_symlink(folder_.PathOf(target), folder_.PathOf(name));
  }

  ScratchDirectory folder_;
};

TEST_F(HeldDirectoryTest, ALinkAnywhereInThePathIsNamed) {
  Swap("a/b", "other/b");
  for (const char* path : {"a/b", "a/b/c", "a/b/c/new", "a/b/new"}) {
    for (const absl::Status& status :
         {HeldDirectory::Open(folder_.PathOf(path)).status(),
          HeldDirectory::Make(folder_.PathOf(path)).status()}) {
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      EXPECT_THAT(status.message(),
                  HasSubstr(folder_.PathOf("a/b") + " is a symbolic link"));
    }
  }
  EXPECT_FALSE(fs::exists(folder_.PathOf("other/b/new")));
}

TEST_F(HeldDirectoryTest, AFileInThePathIsNamed) {
  folder_.Write("a/f", "x");
  const absl::Status status =
      HeldDirectory::Make(folder_.PathOf("a/f/c")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(status.message(),
              HasSubstr(folder_.PathOf("a/f") + " is a file"));
}

TEST_F(HeldDirectoryTest, AMissingOneIsNotFoundOrMade) {
  const std::string path = folder_.PathOf("a/new/er");
  EXPECT_TRUE(absl::IsNotFound(HeldDirectory::Open(path).status()));
  ASSERT_TRUE(HeldDirectory::Make(path).ok());
  EXPECT_TRUE(HeldDirectory::Open(path).ok());
  EXPECT_TRUE(HeldDirectory::Make(path).ok());
}

TEST_F(HeldDirectoryTest, LinksAreFollowedForWhoeverRunsTheProgram) {
  Swap("a/b", "other/b");
  const auto opened =
      HeldDirectory::OpenFollowingLinks(folder_.PathOf("a/b/c"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_TRUE(opened->Has("f"));
}

TEST_F(HeldDirectoryTest, WhatIsHeldStaysTheOneThatWasOpened) {
  const HeldDirectory held = Open("a/b/c");
  Swap("a/b", "other/b");
  EXPECT_TRUE(absl::IsFailedPrecondition(held.CheckStillThere()));
  ASSERT_TRUE(held.CreateFile("f").ok());
  ASSERT_TRUE(held.MakeFolder("d").ok());
  ASSERT_TRUE(held.Rename("f", held, "g").ok());
  EXPECT_THAT(*held.Names(), ElementsAre("d", "g"));
  ASSERT_TRUE(held.Remove("g").ok());
  EXPECT_TRUE(fs::exists(folder_.PathOf("a/b.moved/c/d")));
}

TEST_F(HeldDirectoryTest, TellsWhenItsPathLeadsElsewhere) {
  const HeldDirectory held = Open("a/b");
  EXPECT_TRUE(held.CheckStillThere().ok());
  fs::rename(folder_.PathOf("a/b"), folder_.PathOf("a/d"));
  EXPECT_TRUE(absl::IsUnavailable(held.CheckStillThere()));
  fs::create_directory(folder_.PathOf("a/b"));
  EXPECT_TRUE(absl::IsUnavailable(held.CheckStillThere()));
}

TEST_F(HeldDirectoryTest, AFolderThatIsALinkIsNotOpened) {
  const HeldDirectory held = Open("a/b");
  Swap("a/b/c", "other/b/c");
  EXPECT_TRUE(absl::IsFailedPrecondition(held.OpenFolder("c").status()));
  EXPECT_TRUE(absl::IsAlreadyExists(held.MakeFolder("c").status()));
}

TEST_F(HeldDirectoryTest, AFileThatIsALinkIsNotWritten) {
  const HeldDirectory held = Open("a/b");
  fs::create_symlink(folder_.PathOf("other/b/c/f"), folder_.PathOf("a/b/f"));
  EXPECT_TRUE(absl::IsAlreadyExists(held.CreateFile("f").status()));
}

TEST_F(HeldDirectoryTest, RemovesLinksAndNotWhatTheyLeadTo) {
  const HeldDirectory held = Open("a");
  folder_.Write("a/b/f", "x");
  fs::create_directory_symlink(folder_.PathOf("other/b/c"),
                               folder_.PathOf("a/b/c/link"));
  fs::create_directory_symlink(folder_.PathOf("other/b/c"),
                               folder_.PathOf("a/link"));
  EXPECT_TRUE(held.Remove("link").ok());
  EXPECT_TRUE(held.Remove("b").ok());
  EXPECT_TRUE(held.Remove("none").ok());
  EXPECT_THAT(*held.Names(), IsEmpty());
}

TEST_F(HeldDirectoryTest, NoDepthExhaustsDescriptors) {
  std::string deep = folder_.PathOf("a/deep");
  for (int i = 0; i < 150; ++i) deep += "/d";
  fs::create_directories(deep);
  EXPECT_TRUE(absl::IsFailedPrecondition(Open("a").Remove("deep")));
}

// Another user who swaps a directory for a link to a third one's, as fast as he
// can, while there is work in it.
TEST_F(HeldDirectoryTest, SwappingAsFastAsOneCanGainsNothing) {
  const std::string path = folder_.PathOf("a/b");
  const std::string moved = folder_.PathOf("a/b.moved");
  const std::string link = folder_.PathOf("a/link");
  fs::create_directory_symlink(folder_.PathOf("other/b"), link);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) {
      std::error_code ignored;
      fs::rename(path, moved, ignored);
      fs::rename(link, path, ignored);
      fs::rename(path, link, ignored);
      fs::rename(moved, path, ignored);
    }
  });
  int done = 0;
  int refused = 0;
  // Until both were met: the link, and the directory.
  while (done < 100 || refused < 100) {
    const auto held = HeldDirectory::Open(path + "/c");
    if (!held.ok()) {
      if (absl::IsFailedPrecondition(held.status())) ++refused;
      continue;
    }
    ++done;
    EXPECT_FALSE(held->Has("f"));
    (void)held->CreateFile("g");
    (void)held->Remove("g");
  }
  stop = true;
  other.join();
  EXPECT_THAT(fs::directory_iterator(folder_.PathOf("other/b/c"))->path(),
              folder_.PathOf("other/b/c/f"));
}

TEST_F(HeldDirectoryTest, WhatIsAppendedStandsAtTheEnd) {
  const HeldDirectory held = Open("a");
  EXPECT_TRUE(absl::IsNotFound(held.OpenToAppend("f").status()));
  folder_.Write("a/f", "one ");
  const auto file = held.OpenToAppend("f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(WriteExactly(*file, "f", 0, 3, "two").ok());
  EXPECT_EQ(folder_.Read("a/f"), "one two");
}

TEST_F(HeldDirectoryTest, NothingIsAppendedToWhatMayBeAnothers) {
  const HeldDirectory held = Open("a");
  const std::string another = folder_.PathOf("other/b/c/f");
  fs::create_symlink(another, folder_.PathOf("a/link"));
  fs::create_hard_link(another, folder_.PathOf("a/hard"));
  ASSERT_EQ(mkfifo(folder_.PathOf("a/fifo").c_str(), 0600), 0);
  for (const char* name : {"link", "hard", "fifo"}) {
    const absl::Status refused = held.OpenToAppend(name).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << name << refused;
    EXPECT_THAT(refused.message(), HasSubstr(folder_.PathOf("a/") + name));
  }
}

struct ModeCase {
  mode_t around;
  mode_t folder;
  mode_t file;
};

TEST_F(HeldDirectoryTest, ModesAreThoseOfTheDirectoryWhateverTheUmask) {
  const mode_t before = umask(0077);
  for (const ModeCase& mode : {ModeCase{0700, 0700, 0600},
                               {0750, 0750, 0640},
                               {0755, 0755, 0644},
                               {0711, 0711, 0600},
                               {0777, 0755, 0644},
                               {02770, 02750, 0640},
                               {01777, 0755, 0644}}) {
    const std::string name = absl::StrCat("mode", mode.around);
    folder_.MakeDirectory(name);
    ASSERT_EQ(chmod(folder_.PathOf(name).c_str(), mode.around), 0);
    ASSERT_TRUE(HeldDirectory::Make(folder_.PathOf(name + "/d/e")).ok());
    ASSERT_TRUE(Open(name + "/d/e").CreateFile("f").ok());
    EXPECT_EQ(ModeOf(folder_.PathOf(name + "/d")), mode.folder) << name;
    EXPECT_EQ(ModeOf(folder_.PathOf(name + "/d/e")), mode.folder) << name;
    EXPECT_EQ(ModeOf(folder_.PathOf(name + "/d/e/f")), mode.file) << name;
  }
  umask(before);
}

}  // namespace
}  // namespace hydra

#include "client/quit_key.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/clock/steady_event.h"
#include "common/file/unique_fd.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

class QuitKeyTest : public ::testing::Test {
 protected:
  QuitKeyTest() : keyboard_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(grantpt(keyboard_.get()), 0);
    EXPECT_EQ(unlockpt(keyboard_.get()), 0);
    terminal_ =
        UniqueFd(open(ptsname(keyboard_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    EXPECT_TRUE(terminal_.is_open());
  }

  // Whether it hands out whole lines, and shows them.
  bool IsAsUsual() const {
    termios now = {};
    EXPECT_EQ(tcgetattr(terminal_.get(), &now), 0);
    return (now.c_lflag & ICANON) != 0 && (now.c_lflag & ECHO) != 0;
  }

  const UniqueFd keyboard_;
  UniqueFd terminal_;
};

TEST_F(QuitKeyTest, QQuitsAndTheTerminalIsAsItWas) {
  ASSERT_TRUE(IsAsUsual());
  SteadyEvent quit;
  {
    const QuitKey key(terminal_.get(), [&] { quit.Notify(); });
    EXPECT_FALSE(IsAsUsual());
    ASSERT_EQ(write(keyboard_.get(), "xq", 2), 2);
    EXPECT_TRUE(quit.WaitFor(absl::Minutes(1)));
  }
  EXPECT_TRUE(IsAsUsual());
}

TEST_F(QuitKeyTest, WithoutQTheTerminalIsAsItWas) {
  {
    const QuitKey key(terminal_.get(), [] { FAIL(); });
    EXPECT_FALSE(IsAsUsual());
  }
  EXPECT_TRUE(IsAsUsual());
}

TEST(QuitKeyElsewhereTest, WhereThereIsNoTerminalNothingHappens) {
  const UniqueFd none(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const QuitKey key(none.get(), [] { FAIL(); });
}

}  // namespace
}  // namespace hydra

#include "client/terminal.h"

#include <map>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

Terminal Make(bool is_terminal, std::map<std::string, std::string> variables) {
  const GetEnv getenv = [&](const char* name) -> std::optional<std::string> {
    const auto it = variables.find(name);
    if (it == variables.end()) return std::nullopt;
    return it->second;
  };
  return MakeTerminal(is_terminal, getenv, [] { return TerminalSize{80, 24}; });
}

TEST(MakeTerminalTest, DrawsInPlaceAndInColours) {
  const Terminal terminal = Make(true, {{"TERM", "xterm"}});
  EXPECT_TRUE(terminal.present);
  EXPECT_TRUE(terminal.in_place);
  EXPECT_TRUE(terminal.color);
  EXPECT_EQ(terminal.size().width, 80);
}

TEST(MakeTerminalTest, NoColorLeavesTheDisplay) {
  const Terminal terminal = Make(true, {{"TERM", "xterm"}, {"NO_COLOR", "1"}});
  EXPECT_TRUE(terminal.in_place);
  EXPECT_FALSE(terminal.color);
  EXPECT_TRUE(Make(true, {{"TERM", "xterm"}, {"NO_COLOR", ""}}).color);
}

TEST(MakeTerminalTest, ADumbTerminalHasAWidthAndNoEscapeSequences) {
  for (const auto& variables : {std::map<std::string, std::string>(),
                                {{"TERM", ""}},
                                {{"TERM", "dumb"}}}) {
    const Terminal terminal = Make(true, variables);
    EXPECT_TRUE(terminal.present);
    EXPECT_FALSE(terminal.in_place);
    EXPECT_FALSE(terminal.color);
  }
}

TEST(MakeTerminalTest, AFileIsNoTerminal) {
  const Terminal terminal = Make(false, {{"TERM", "xterm"}});
  EXPECT_FALSE(terminal.present);
  EXPECT_FALSE(terminal.in_place);
  EXPECT_FALSE(terminal.color);
  EXPECT_EQ(terminal.size().width, 0);
}

}  // namespace
}  // namespace hydra

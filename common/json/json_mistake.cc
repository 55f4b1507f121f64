#include "common/json/json_mistake.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// The library's names of tokens.
std::string TokenName(absl::string_view token) {
  if (absl::EndsWith(token, "or a literal")) return "a value";
  if (token == "end of input") return "the end";
  for (absl::string_view kind : {"string", "number"}) {
    if (token == absl::StrCat(kind, " literal"))
      return absl::StrCat("a ", kind);
  }
  return PrintableStart(absl::StripSuffix(token, " literal"));
}

// "invalid literal" and the like, and the text that it is about.
std::string LexerMistake(absl::string_view why, absl::string_view text) {
  if (why == "invalid string: missing closing quote") {
    return "a string that does not end";
  }
  if (absl::ConsumePrefix(&why, "invalid string: ")) {
    return absl::StrCat("in the string ", Quoted(text), ": ",
                        PrintableStart(why));
  }
  if (absl::ConsumePrefix(&why, "invalid number; ")) {
    return absl::StrCat("in the number ", Quoted(text), ": ",
                        PrintableStart(why));
  }
  // Where the text begins is not known here.
  return "what stands here is no value of JSON";
}

}  // namespace

std::string JsonMistake(absl::string_view what) {
  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax
  // error while parsing value - unexpected ']'; expected ..."
  constexpr absl::string_view kReason = " - ";
  constexpr absl::string_view kRead = "; last read: '";
  constexpr absl::string_view kExpected = "; expected ";
  const size_t reason = what.find(kReason);
  if (reason == what.npos) {
    return absl::StrContains(what, "number overflow")
               ? "a number that is too large"
               : "the text is no JSON";
  }
  what.remove_prefix(reason + kReason.size());
  const size_t read = what.find(kRead);
  if (read != what.npos) {
    absl::string_view text = what.substr(read + kRead.size());
    text = text.substr(0, text.rfind(absl::StrCat("'", kExpected)));
    absl::ConsumeSuffix(&text, "'");
    return LexerMistake(what.substr(0, read), text);
  }
  const size_t expected = what.find(kExpected);
  absl::string_view found = what.substr(0, expected);
  absl::ConsumePrefix(&found, "unexpected ");
  std::string mistake = found == "end of input"
                            ? "the text ends too early"
                            : absl::StrCat("found ", TokenName(found));
  if (expected != what.npos) {
    absl::StrAppend(&mistake, ", expected ",
                    TokenName(what.substr(expected + kExpected.size())));
  }
  return mistake;
}

}  // namespace hydra

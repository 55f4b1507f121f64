#include "common/json/python_json.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/json/json_mistake.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// What Python writes for numbers that JSON has not, and the strings that stand
// for them here.
struct Name {
  absl::string_view python;
  absl::string_view quoted;
};
constexpr Name kNames[] = {
    {"-Infinity", R"("\u0001hydra -Infinity")"},
    {"Infinity", R"("\u0001hydra Infinity")"},
    {"NaN", R"("\u0001hydra NaN")"},
};

bool IsWordCharacter(char c) { return absl::ascii_isalnum(c) || c == '_'; }

// "line 3, column 7", counted from 1, in bytes.
std::string PlaceOf(absl::string_view text, size_t position) {
  position = std::min(position, text.size());
  const absl::string_view before = text.substr(0, position);
  const size_t line_start = before.rfind('\n');  // npos + 1 is 0.
  return absl::StrCat("line ",
                      std::count(before.begin(), before.end(), '\n') + 1,
                      ", column ", position - (line_start + 1) + 1);
}

absl::Status Wrong(absl::string_view text, size_t position,
                   absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(PlaceOf(text, position), ": ", what));
}

// The text as strict JSON, and where its bytes come from.
struct StrictText {
  std::string text;
  // A place in `text`, and by how much what follows has moved.
  std::vector<std::pair<size_t, size_t>> moved;

  size_t OriginOf(size_t position) const {
    size_t shift = 0;
    for (const auto& [place, by] : moved) {
      if (place < position) shift = by;
    }
    return position - std::min(position, shift);
  }
};

// Walks over the text outside of strings, looks for what people write that is
// no JSON, and puts kNames' strings in.
class Normaliser {
 public:
  explicit Normaliser(absl::string_view text) : text_(text) {}

  absl::StatusOr<StrictText> Run() {
    absl::Status status;
    while (status.ok() && at_ < text_.size()) status = Step();
    if (!status.ok()) return status;
    strict_.text.append(text_.data() + copied_, text_.size() - copied_);
    return std::move(strict_);
  }

 private:
  absl::Status Step() {
    const char c = text_[at_];
    if (c == '"') return SkipString();
    if (c == '\'') return Wrong(text_, at_, "a single quote; JSON has \"");
    if (c == '#' || (c == '/' && (NextIs('/') || NextIs('*')))) {
      return Wrong(text_, at_, "a comment; JSON has none, remove it");
    }
    if (c == ',') return CheckComma();
    if (c == '{' || c == '[') {
      if (++depth_ > kMaxJsonDepth) {
        return Wrong(text_, at_,
                     absl::StrCat("nested deeper than the ", kMaxJsonDepth,
                                  " levels allowed"));
      }
    } else if (c == '}' || c == ']') {
      --depth_;
    } else if (absl::ascii_isalpha(c) || c == '_' ||
               (c == '-' && NextIs('I'))) {
      return TakeWord();
    } else if (absl::ascii_isdigit(c)) {
      // The 'e' of 1e5 begins no word.
      while (at_ < text_.size() &&
             (IsWordCharacter(text_[at_]) || text_[at_] == '.')) {
        ++at_;
      }
      return absl::OkStatus();
    }
    ++at_;
    return absl::OkStatus();
  }

  bool NextIs(char c) const {
    return at_ + 1 < text_.size() && text_[at_ + 1] == c;
  }

  absl::Status SkipString() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      return Wrong(text_, begin, "a string that does not end");
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::Status CheckComma() {
    const size_t next = text_.find_first_not_of(" \t\r\n", at_ + 1);
    if (next != text_.npos && (text_[next] == '}' || text_[next] == ']')) {
      return Wrong(text_, at_,
                   absl::StrCat("a comma before '", text_.substr(next, 1),
                                "'; remove it"));
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::Status TakeWord() {
    const size_t begin = at_++;
    while (at_ < text_.size() && IsWordCharacter(text_[at_])) ++at_;
    const absl::string_view word = text_.substr(begin, at_ - begin);
    for (const Name& name : kNames) {
      if (word != name.python) continue;
      strict_.text.append(text_.data() + copied_, begin - copied_);
      strict_.text.append(name.quoted.data(), name.quoted.size());
      copied_ = at_;
      strict_.moved.emplace_back(strict_.text.size() - 1,
                                 strict_.text.size() - copied_);
      return absl::OkStatus();
    }
    if (word == "true" || word == "false" || word == "null") {
      return absl::OkStatus();
    }
    if (word == "True" || word == "False" || word == "None") {
      return Wrong(
          text_, begin,
          absl::StrCat("Python's ", word, "; JSON has ",
                       word == "None" ? "null" : absl::AsciiStrToLower(word)));
    }
    const size_t next = text_.find_first_not_of(" \t\r\n", at_);
    if (next != text_.npos && text_[next] == ':') {
      return Wrong(
          text_, begin,
          absl::StrCat("the key ", Quoted(word), " has no quotes around it"));
    }
    return Wrong(
        text_, begin,
        absl::StrCat("found ", Quoted(word), ", which is no value of JSON"));
  }

  const absl::string_view text_;
  StrictText strict_;
  size_t at_ = 0;
  // What stands before is in strict_.
  size_t copied_ = 0;
  int depth_ = 0;
};

// Finds the first mistake, or a key of the top level that comes twice.
class Checker : public nlohmann::json_sax<Json> {
 public:
  // A place in the text, and what is wrong there.
  const std::optional<std::pair<size_t, std::string>>& mistake() const {
    return mistake_;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override {
    if (depth_++ == 0) is_object_ = true;
    return true;
  }
  bool start_array(size_t) override {
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& key) override {
    if (depth_ != 1 || keys_.insert(key).second) return true;
    twice_ = key;
    return false;
  }
  bool parse_error(size_t position, const std::string&,
                   const Json::exception& error) override {
    // Its own place counts bytes that were put in.
    mistake_.emplace(position == 0 ? 0 : position - 1,
                     JsonMistake(error.what()));
    return false;
  }

  const std::optional<std::string>& twice() const { return twice_; }
  bool is_object() const { return is_object_; }

 private:
  int depth_ = 0;
  bool is_object_ = false;
  std::set<std::string> keys_;
  std::optional<std::string> twice_;
  std::optional<std::pair<size_t, std::string>> mistake_;
};

std::string WithPythonNames(std::string text) {
  for (const Name& name : kNames) {
    text = absl::StrReplaceAll(text, {{name.quoted, name.python}});
  }
  return text;
}

template <typename AnyJson>
std::string Show(const AnyJson& value) {
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  return PrintableStart(
      WithPythonNames(value.dump(-1, ' ', /*ensure_ascii=*/true)));
}

}  // namespace

absl::StatusOr<std::string> StrictJson(absl::string_view text) {
  absl::StatusOr<StrictText> strict = Normaliser(text).Run();
  if (!strict.ok()) return strict.status();
  Checker checker;
  Json::sax_parse(strict->text, &checker);
  if (checker.mistake().has_value()) {
    return Wrong(text, strict->OriginOf(checker.mistake()->first),
                 checker.mistake()->second);
  }
  if (checker.twice().has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key ", Quoted(*checker.twice()), " is given twice; remove one"));
  }
  if (checker.is_object()) return std::move(strict->text);
  return absl::InvalidArgumentError("expected an object, {...}");
}

absl::StatusOr<Json> ParsePythonJson(absl::string_view text) {
  const absl::StatusOr<std::string> strict = StrictJson(text);
  if (!strict.ok()) return strict.status();
  return Json::parse(*strict, nullptr, /*allow_exceptions=*/false);
}

std::string WritePythonJson(const Json& value, int indent) {
  return WithPythonNames(value.dump(indent, ' ', /*ensure_ascii=*/true));
}

std::string ShownJson(const Json& value) { return Show(value); }

std::string ShownJson(const nlohmann::json& value) { return Show(value); }

}  // namespace hydra

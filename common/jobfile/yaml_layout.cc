#include "common/jobfile/yaml_layout.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/odd_characters.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr absl::string_view kFullWidthColon = "\uff1a";

bool IsKeyCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
}

// Takes the first line and its end, which may be CR, LF or both, off `text`.
absl::string_view TakeLine(absl::string_view* text) {
  const size_t end = std::min(text->find_first_of("\r\n"), text->size());
  const absl::string_view line = text->substr(0, end);
  text->remove_prefix(end);
  if (!absl::ConsumePrefix(text, "\r\n") && !text->empty()) {
    text->remove_prefix(1);
  }
  return line;
}

// `text` without a comment at its end, and without blanks around.
absl::string_view WithoutComment(absl::string_view text) {
  if (absl::StartsWith(text, "#")) return "";
  return absl::StripAsciiWhitespace(text.substr(0, text.find(" #")));
}

std::string Text(char c) { return std::string(1, c); }

// Reads lines one after another and remembers what is open between them.
class Layout {
 public:
  // False: the line is wrong, and mistake() says how.
  bool ReadLine(absl::string_view line, int number) {
    line_ = line;
    number_ = number;
    if (quote_ != 0 || !brackets_.empty()) return ReadTokens(0);
    return ReadBlockLine();
  }

  // After the last line: something may still be open.
  bool Finish() {
    if (quote_ != 0) return Fail(quote_place_, "this quote is never closed");
    if (brackets_.empty()) return true;
    const Place& open = brackets_.back();
    return Fail(open, absl::StrCat("this '", Text(open.character()),
                                   "' is never closed"));
  }

  const LayoutMistake& mistake() const { return mistake_; }

 private:
  // Counting columns takes time, so that is done for mistakes alone.
  struct Place {
    int number = 1;
    absl::string_view line;
    size_t position = 0;

    int column() const { return CountCharacters(line.substr(0, position)) + 1; }
    char character() const { return line[position]; }
  };

  Place At(size_t position) const { return {number_, line_, position}; }

  bool Fail(const Place& place, std::string description) {
    mistake_ = {place.number, place.column(), std::move(description)};
    return false;
  }

  bool Fail(size_t position, std::string description) {
    return Fail(At(position), std::move(description));
  }

  // A line outside of brackets and quotes.
  bool ReadBlockLine() {
    size_t indent = 0;
    std::optional<size_t> odd;
    while (indent < line_.size()) {
      const auto blank = LeadingOddBlank(line_.substr(indent));
      if (!blank.has_value() && line_[indent] != ' ') break;
      if (blank.has_value() && !odd.has_value()) odd = indent;
      indent += blank.has_value() ? blank->bytes.size() : 1;
    }
    const absl::string_view rest = line_.substr(indent);
    if (rest.empty() || rest[0] == '#') return true;
    if (in_text_block_ && indent > text_block_indent_) return true;
    in_text_block_ = false;
    if (odd.has_value()) {
      return Fail(*odd, absl::StrCat(LeadingOddBlank(line_.substr(*odd))->name,
                                     " in the indentation; write spaces"));
    }
    if (indent == 0 &&
        (absl::StartsWith(rest, "---") || absl::StartsWith(rest, "..."))) {
      indents_.clear();
      return true;
    }
    return ReadItems(indent);
  }

  // "- " any number of times, then a key or text.
  bool ReadItems(size_t position) {
    if (!CheckIndent(position)) return false;
    while (absl::StartsWith(line_.substr(position), "- ")) {
      ++position;
      while (position < line_.size() && line_[position] == ' ') ++position;
      indents_.push_back(position);
    }
    size_t end = position;
    while (end < line_.size() && IsKeyCharacter(line_[end])) ++end;
    const absl::string_view key = line_.substr(position, end - position);
    last_word_ = At(end);
    last_key_ = std::string(key);
    opens_section_ = line_.substr(position) == "-";
    lacks_colon_ = WithoutComment(line_.substr(end)).empty();
    if (key.empty()) return ReadTokens(position);
    return ReadAfterKey(key, end);
  }

  bool ReadAfterKey(absl::string_view key, size_t end) {
    const absl::string_view after = line_.substr(end);
    if (absl::StartsWith(after, kFullWidthColon)) {
      return Fail(end, "a full-width colon (U+FF1A); write ': '");
    }
    if (absl::StartsWith(absl::StripLeadingAsciiWhitespace(after), "=")) {
      return Fail(line_.find('=', end),
                  absl::StrCat("'=' in place of ':'; write '", key, ": ...'"));
    }
    if (!absl::StartsWith(after, ":")) return ReadTokens(end - key.size());
    const absl::string_view value = after.substr(1);
    size_t blanks = 0;
    while (blanks < value.size() && value[blanks] == ' ') ++blanks;
    const auto odd = LeadingOddBlank(value.substr(blanks));
    if (odd.has_value() && odd->bytes != "\t") {
      return Fail(end + 1 + blanks,
                  absl::StrCat(odd->name, " after ':'; write a space"));
    }
    if (value.empty() || blanks > 0 || odd.has_value()) {
      return ReadValue(end + 1 + blanks);
    }
    // The beginning of a URL, or of a path of Windows.
    if (value[0] == '/' || value[0] == '\\')
      return ReadTokens(end - key.size());
    return Fail(end + 1, absl::StrCat("a blank is missing after ':'; write ",
                                      Quoted(absl::StrCat(key, ": ", value))));
  }

  bool ReadValue(size_t position) {
    const absl::string_view value = WithoutComment(line_.substr(position));
    lacks_colon_ = false;
    opens_section_ = value.empty();
    if (value.empty()) return true;
    if (value[0] == '|' || value[0] == '>') {
      in_text_block_ = true;
      text_block_indent_ = indents_.back();
      return true;
    }
    if (absl::string_view("[{\"'&*!").find(value[0]) == value.npos) {
      const size_t colon = value.find(": ");
      if (colon != value.npos) {
        return Fail(position + colon,
                    "a second ': ' in one line; put the value in quotes, or "
                    "give the key a line of its own");
      }
    }
    return ReadTokens(position);
  }

  // Whether the line begins where one may begin.
  bool CheckIndent(size_t indent) {
    bool closed = false;
    size_t deepest = 0;
    while (!indents_.empty() && indents_.back() > indent) {
      deepest = std::max(deepest, indents_.back());
      indents_.pop_back();
      closed = true;
    }
    if (indents_.empty()) {
      if (closed) {
        return Fail(indent,
                    absl::StrCat("indented by ", indent,
                                 ", less than the first line of the file"));
      }
      indents_.push_back(indent);
      return true;
    }
    const size_t open = indents_.back();
    if (open == indent) return true;
    if (closed) {
      return Fail(indent, absl::StrCat("indented by ", indent,
                                       ", which fits no line above; write ",
                                       open, " or ", deepest, " spaces"));
    }
    if (!opens_section_ && HasKey(indent)) return FailTooDeep(indent, open);
    indents_.push_back(indent);
    return true;
  }

  bool HasKey(size_t position) const {
    while (position < line_.size() && IsKeyCharacter(line_[position])) {
      ++position;
    }
    const absl::string_view after = line_.substr(position);
    return after == ":" || absl::StartsWith(after, ": ");
  }

  bool FailTooDeep(size_t indent, size_t open) {
    if (!lacks_colon_) {
      return Fail(indent, absl::StrCat("indented deeper than the line above, "
                                       "which has its value already; write ",
                                       open, " spaces"));
    }
    return Fail(last_word_,
                absl::StrCat("a ':' is missing after ", Quoted(last_key_)));
  }

  // Brackets and quotes, from `position` to the end of the line.
  bool ReadTokens(size_t position) {
    bool at_token = true;
    for (size_t i = position; i < line_.size(); ++i) {
      const char c = line_[i];
      if (quote_ != 0) {
        i = ReadQuoted(i);
        at_token = false;
        continue;
      }
      if (c == '#' && (i == 0 || line_[i - 1] == ' ')) return true;
      if (at_token &&
          absl::string_view("@`%*&").find(c) != absl::string_view::npos) {
        return Fail(i, absl::StrCat("a value cannot begin with '",
                                    line_.substr(i, 1), "'; put it in quotes"));
      }
      if (at_token && (c == '"' || c == '\'')) {
        quote_ = c;
        quote_place_ = At(i);
        continue;
      }
      if ((at_token || !brackets_.empty()) && (c == '[' || c == '{')) {
        brackets_.push_back(At(i));
        at_token = true;
        continue;
      }
      if ((c == ']' || c == '}') && !CloseBracket(i)) return false;
      at_token = c == ',' || c == ':' || ((c == ' ' || c == '\t') && at_token);
    }
    return true;
  }

  // The position of the quote's last character in the line.
  size_t ReadQuoted(size_t i) {
    for (; i < line_.size(); ++i) {
      if (quote_ == '"' && line_[i] == '\\') {
        ++i;
      } else if (line_[i] == quote_) {
        const bool doubled =
            quote_ == '\'' && i + 1 < line_.size() && line_[i + 1] == quote_;
        if (!doubled) {
          quote_ = 0;
          return i;
        }
        ++i;
      }
    }
    return i;
  }

  bool CloseBracket(size_t i) {
    if (brackets_.empty()) return true;
    const Place open = brackets_.back();
    brackets_.pop_back();
    const bool fits = (open.character() == '[') == (line_[i] == ']');
    return fits ||
           Fail(i, absl::StrCat("'", Text(line_[i]), "' closes '",
                                Text(open.character()), "' of line ",
                                open.number, ", column ", open.column()));
  }

  absl::string_view line_;
  int number_ = 0;
  LayoutMistake mistake_;
  // Where the sections that are open begin, outermost first.
  std::vector<size_t> indents_;
  // Whether the line above may have a deeper section below it.
  bool opens_section_ = true;
  // Whether the line above is a word alone, and where that ends.
  bool lacks_colon_ = false;
  Place last_word_;
  std::string last_key_;
  // In text after '|' or '>': all lines that are indented deeper than this.
  bool in_text_block_ = false;
  size_t text_block_indent_ = 0;
  // The quote character that is open; 0: none.
  char quote_ = 0;
  Place quote_place_;
  // Those that are open.
  std::vector<Place> brackets_;
};

}  // namespace

std::optional<LayoutMistake> FindLayoutMistake(absl::string_view text,
                                               int parser_line) {
  absl::ConsumePrefix(&text, "\ufeff");
  Layout layout;
  for (int number = 1; number <= parser_line && !text.empty(); ++number) {
    if (!layout.ReadLine(TakeLine(&text), number)) return layout.mistake();
  }
  if (!layout.Finish()) return layout.mistake();
  return std::nullopt;
}

}  // namespace hydra

#include "common/jobfile/yaml_tree.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <limits>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/jobfile/odd_characters.h"
#include "common/jobfile/yaml_layout.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace hydra {
namespace {

absl::Status MistakeAt(int line, int column, absl::string_view description) {
  return absl::InvalidArgumentError(
      absl::StrCat("line ", line, ", column ", column, ": ", description));
}

// Refuses what only looks like damaged text if it is read as UTF-8.
absl::Status CheckKind(absl::string_view text) {
  // Nine of ten files begin with an ASCII letter, also in UTF-16.
  const bool begins_as_utf16 =
      absl::StartsWith(text, "\xff\xfe") ||
      absl::StartsWith(text, "\xfe\xff") ||
      (text.size() >= 2 && (text[0] == '\0') != (text[1] == '\0'));
  if (begins_as_utf16) {
    return MistakeAt(1, 1,
                     "the file is UTF-16 or UTF-32; save it as UTF-8 (in "
                     "PowerShell: Out-File -Encoding utf8)");
  }
  if (absl::StartsWith(text, "\x1f\x8b")) {
    return MistakeAt(1, 1, "the file is compressed by gzip; unpack it");
  }
  return absl::OkStatus();
}

// Refuses what is not text before yaml-cpp guesses an encoding.
absl::Status CheckText(absl::string_view text) {
  if (absl::Status kind = CheckKind(text); !kind.ok()) return kind;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  int line = 1;
  int column = 1;
  for (int32_t i = 0; i < size; ++column) {
    const uint8_t first = bytes[i];
    int32_t character;
    U8_NEXT(bytes, i, size, character);
    if (character < 0) {
      return MistakeAt(
          line, column,
          absl::StrFormat("the byte 0x%02x is not UTF-8; save the file as "
                          "UTF-8 (is it Latin-1 or Windows-1252?)",
                          first));
    }
    const bool is_space =
        character == '\n' || character == '\r' || character == '\t';
    if ((character < 0x20 && !is_space) || character == 0x7f) {
      return MistakeAt(
          line, column,
          absl::StrFormat("control character 0x%02x in the text", character));
    }
    if (character == '\n') {
      ++line;
      column = 0;
    }
  }
  return absl::OkStatus();
}

// The tags of nodes without one.
constexpr absl::string_view kPlain = "?";
constexpr absl::string_view kQuoted = "!";

// What Hydra refuses in a text that is YAML. Thrown, because nothing else stops
// the parser.
class Refusal : public YAML::ParserException {
 public:
  using YAML::ParserException::ParserException;
};

// Builds the tree from yaml-cpp's events. Throws Refusal.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(size_t text_bytes) : events_left_(2 * text_bytes + 2) {}

  YamlNode TakeRoot() { return std::move(root_); }

  // Where the last scalar begins, if that is in quotes.
  const YAML::Mark* newest_quoted() const {
    return newest_is_quoted_ ? &newest_scalar_ : nullptr;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Refuse(anchor, mark);
    Place(YamlNode::Kind::kNull, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Refuse(anchor, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    Refuse(anchor, mark);
    RefuseTag(tag, mark);
    YamlNode* node = Place(YamlNode::Kind::kScalar, mark);
    if (node == &key_) {
      RefuseOddBlank(value, mark);
    } else if (tag == kPlain) {
      RefuseOddEnds(value, mark);
    }
    node->text = value;
    newest_is_quoted_ = tag == kQuoted;
    newest_scalar_ = mark;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Refuse(anchor, mark);
    RefuseTag(tag, mark);
    Open(YamlNode::Kind::kSequence, mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Refuse(anchor, mark);
    RefuseTag(tag, mark);
    Open(YamlNode::Kind::kMap, mark);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct OpenNode {
    YamlNode* node;
    // In a map: the next node is a value, its entry is there already.
    bool has_key = false;
  };

  static void Refuse(YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (anchor == YAML::NullAnchor) return;
    throw Refusal(
        mark,
        "anchors (&) and aliases (*) are not supported; write it out, or put a "
        "value that begins so in quotes");
  }

  static void RefuseTag(const std::string& tag, const YAML::Mark& mark) {
    if (tag.empty() || tag == kPlain || tag == kQuoted) return;
    throw Refusal(mark, "tags (!) are not supported");
  }

  // No key of Hydra's has one, so it was not meant.
  static void RefuseOddBlank(const std::string& key, const YAML::Mark& mark) {
    size_t position = 0;
    const auto odd = FindOddBlank(key, &position);
    if (!odd.has_value()) return;
    YAML::Mark place = mark;
    place.column += CountCharacters(absl::string_view(key).substr(0, position));
    throw Refusal(place, absl::StrCat(odd->name,
                                      " in a key; remove it or write a space"));
  }

  // Quotes of word processors quote nothing, and blanks that YAML does not know
  // would become part of the value.
  static void RefuseOddEnds(absl::string_view value, const YAML::Mark& mark) {
    if (const auto quote = LeadingOddQuote(value); quote.has_value()) {
      throw Refusal(
          mark, absl::StrCat(quote->name, " before a value; write \" or '"));
    }
    size_t position = 0;
    const auto odd = FindOddBlank(value, &position);
    if (!odd.has_value()) return;
    if (position != 0 && position + odd->bytes.size() != value.size()) return;
    YAML::Mark place = mark;
    place.column += CountCharacters(value.substr(0, position));
    throw Refusal(
        place, absl::StrCat(odd->name, position == 0 ? " before" : " after",
                            " a value; remove it, or put the value in quotes"));
  }

  // Node pointers stay valid: a parent gets no further child while one of its
  // children is open.
  void Open(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (open_.size() >= kMaxYamlNesting) {
      throw Refusal(mark, absl::StrCat("nested deeper than ", kMaxYamlNesting));
    }
    open_.push_back({Place(kind, mark)});
  }

  YamlNode* Place(YamlNode::Kind kind, const YAML::Mark& mark) {
    // yaml-cpp makes events from nothing for some broken texts, without end.
    if (events_left_-- == 0) throw YAML::ParserException(mark, "not YAML");
    YamlNode* node = NextNode(kind, mark);
    node->kind = kind;
    node->line = mark.line + 1;
    return node;
  }

  // Where the parser's next node belongs.
  YamlNode* NextNode(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (open_.empty()) return &root_;
    OpenNode& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::kSequence) {
      return &parent.node->items.emplace_back();
    }
    if (std::exchange(parent.has_key, !parent.has_key)) {
      YamlEntry& entry = parent.node->entries.back();
      entry.key = std::move(key_.text);
      return &entry.value;
    }
    if (kind != YamlNode::Kind::kScalar) {
      throw Refusal(mark, "expected the name of a key");
    }
    parent.node->entries.emplace_back().line = mark.line + 1;
    return &key_;
  }

  YamlNode root_;
  // The key whose value comes next.
  YamlNode key_;
  std::vector<OpenNode> open_;
  size_t events_left_;
  bool newest_is_quoted_ = false;
  YAML::Mark newest_scalar_;
};

// yaml-cpp takes the end of the text for the end of a quote.
void RefuseOpenQuote(absl::string_view text, const TreeBuilder& builder) {
  const YAML::Mark* const quoted = builder.newest_quoted();
  if (quoted == nullptr) return;
  const auto mistake = FindLayoutMistake(text, std::numeric_limits<int>::max());
  if (mistake.has_value() && mistake->line == quoted->line + 1 &&
      mistake->column == quoted->column + 1) {
    throw Refusal(*quoted, mistake->description);
  }
}

// `text` with LF where CR alone ends a line.
std::string WithLineFeeds(absl::string_view text) {
  std::string lines(text);
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool alone = i + 1 == lines.size() || lines[i + 1] != '\n';
    if (lines[i] == '\r' && alone) lines[i] = '\n';
  }
  return lines;
}

// Accepts an empty document, as in a file that ends with "---".
class RefusesContent : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Refuse(mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    Refuse(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Refuse(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Refuse(mark);
  }
  void OnMapEnd() override {}

 private:
  static void Refuse(const YAML::Mark& mark) {
    throw YAML::ParserException(
        mark,
        "a second document begins here; a file has one, so remove the "
        "'---' above or what stands before it");
  }
};

// Throws YAML::Exception.
YamlNode ParseDocument(absl::string_view text) {
  std::istringstream in{std::string(text)};
  YAML::Parser parser(in);
  TreeBuilder builder(text.size());
  if (!parser.HandleNextDocument(builder)) return YamlNode();
  RefuseOpenQuote(text, builder);
  RefusesContent rest;
  if (parser.HandleNextDocument(rest) && parser.HandleNextDocument(rest)) {
    throw Refusal(YAML::Mark(), "the file has more than one document");
  }
  return builder.TakeRoot();
}

bool IsJson(absl::string_view text) {
  absl::ConsumePrefix(&text, "\ufeff");
  text = absl::StripLeadingAsciiWhitespace(text);
  if (!absl::ConsumePrefix(&text, "{")) return false;
  return absl::StartsWith(absl::StripLeadingAsciiWhitespace(text), "\"");
}

// What is wrong with a text that `error` says is no YAML.
absl::Status Explain(absl::string_view text, const YAML::Exception& error) {
  const int line = std::max(error.mark.line, 0) + 1;
  if (IsJson(text)) {
    // Its parser knows the rules that whoever wrote this had in mind.
    const absl::StatusOr<std::string> json = StrictJson(text);
    if (!json.ok()) return json.status();
  }
  if (const auto mistake = FindLayoutMistake(text, line); mistake.has_value()) {
    return MistakeAt(mistake->line, mistake->column, mistake->description);
  }
  return MistakeAt(line, std::max(error.mark.column, 0) + 1, error.msg);
}

}  // namespace

absl::StatusOr<YamlNode> ParseYaml(absl::string_view text) {
  if (text.size() > kMaxYamlBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file has ", text.size(), " bytes; at most ",
                     kMaxYamlBytes, " are allowed"));
  }
  absl::Status is_text = CheckText(text);
  if (!is_text.ok()) return is_text;
  const std::string lines = WithLineFeeds(text);
  try {
    return ParseDocument(lines);
  } catch (const Refusal& error) {
    return MistakeAt(error.mark.line + 1, error.mark.column + 1, error.msg);
  } catch (const YAML::Exception& error) {
    return Explain(lines, error);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not readable as YAML: ", error.what()));
  }
}

}  // namespace hydra

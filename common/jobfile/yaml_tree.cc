#include "common/jobfile/yaml_tree.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/exceptions.h"
#include "yaml-cpp/mark.h"
#include "yaml-cpp/parser.h"

namespace hydra {
namespace {

// Refuses what is not text before yaml-cpp guesses an encoding.
absl::Status CheckText(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  int line = 1;
  for (int32_t i = 0; i < size;) {
    int32_t character;
    U8_NEXT(bytes, i, size, character);
    if (character < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", line, ": not UTF-8 text"));
    }
    const bool is_space =
        character == '\n' || character == '\r' || character == '\t';
    if ((character < 0x20 && !is_space) || character == 0x7f) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "line %d: control character 0x%02x in the text", line, character));
    }
    if (character == '\n') ++line;
  }
  return absl::OkStatus();
}

// Builds the tree from yaml-cpp's events. Throws YAML::ParserException for what
// Hydra refuses, because nothing else stops the parser.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(size_t text_bytes) : events_left_(2 * text_bytes + 2) {}

  YamlNode TakeRoot() { return std::move(root_); }

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
    Place(YamlNode::Kind::kScalar, mark)->text = value;
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
    throw YAML::ParserException(
        mark, "anchors (&) and aliases (*) are not supported; write it out");
  }

  // "?" is an untagged plain node, "!" an untagged quoted one.
  static void RefuseTag(const std::string& tag, const YAML::Mark& mark) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw YAML::ParserException(mark, "tags (!) are not supported");
  }

  // Node pointers stay valid: a parent gets no further child while one of its
  // children is open.
  void Open(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (open_.size() >= kMaxYamlNesting) {
      throw YAML::ParserException(
          mark, absl::StrCat("nested deeper than ", kMaxYamlNesting));
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
      throw YAML::ParserException(mark, "expected the name of a key");
    }
    parent.node->entries.emplace_back().line = mark.line + 1;
    return &key_;
  }

  YamlNode root_;
  // The key whose value comes next.
  YamlNode key_;
  std::vector<OpenNode> open_;
  size_t events_left_;
};

// Throws YAML::Exception.
YamlNode ParseDocument(absl::string_view text) {
  std::istringstream in{std::string(text)};
  YAML::Parser parser(in);
  TreeBuilder builder(text.size());
  if (!parser.HandleNextDocument(builder)) return YamlNode();
  TreeBuilder ignored(text.size());
  if (parser.HandleNextDocument(ignored)) {
    throw YAML::ParserException(YAML::Mark(),
                                "more than one document in the file");
  }
  return builder.TakeRoot();
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
  try {
    return ParseDocument(text);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "line ", std::max(error.mark.line, 0) + 1, ": ", error.msg));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("not readable as YAML: ", error.what()));
  }
}

}  // namespace hydra

#include "common/jobfile/yaml_to_proto.h"

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/field_value.h"
#include "common/text/printable.h"
#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = YamlNode::Kind;

class Converter {
 public:
  Converter(const Descriptor& root, Aliases aliases,
            absl::Span<const absl::string_view> other_top_keys,
            Mistakes* mistakes)
      : root_(root),
        aliases_(aliases),
        other_top_keys_(other_top_keys),
        mistakes_(*mistakes) {}

  // `path` is that of the section, empty at the top level; `keys` is the same
  // without positions in lists.
  void ReadSection(const YamlNode& node, const std::string& path,
                   const std::string& keys, Message* message) {
    if (node.kind != Kind::kMap) {
      Add(path, node.line,
          absl::StrCat("expected a section of keys, found ", Found(node),
                       BlankHint(node)));
      return;
    }
    std::map<absl::string_view, int> line_of_key;
    for (const YamlEntry& entry : node.entries) {
      if (IsFull(mistakes_)) return;
      const auto [first, is_new] = line_of_key.emplace(entry.key, entry.line);
      if (is_new) {
        ReadEntry(entry, path, keys, message);
      } else {
        Add(Join(path, entry.key), entry.line,
            absl::StrCat("this key is given twice, first in line ",
                         first->second));
      }
    }
  }

 private:
  static std::string Join(absl::string_view section, absl::string_view key) {
    return section.empty() ? std::string(key) : absl::StrCat(section, ".", key);
  }

  void Add(absl::string_view path, int line, absl::string_view description) {
    AddMistake(path, AtLine(line, description), &mistakes_);
  }

  void AddUnexpected(absl::string_view path, const YamlNode& node,
                     absl::string_view expected) {
    Add(path, node.line,
        absl::StrCat("expected ", expected, ", found ", Found(node)));
  }

  // A line without ": " is a key without a value for YAML.
  static std::string SyntaxHint(const YamlEntry& entry) {
    constexpr absl::string_view kFullWidthColon = "\uff1a";
    if (entry.value.kind != Kind::kNull) return "";
    if (absl::StrContains(entry.key, kFullWidthColon)) {
      return "write ': ' in place of the full-width colon";
    }
    if (absl::StrContains(entry.key, '=')) return "write ':' in place of '='";
    if (absl::StrContains(entry.key, ':')) {
      return "a blank must stand after ':'";
    }
    const size_t blank = entry.key.find(' ');
    if (blank == entry.key.npos) return "";
    return absl::StrCat("a ':' is missing after ",
                        Quoted(entry.key.substr(0, blank)));
  }

  // "seed:1" alone is text for YAML.
  static absl::string_view BlankHint(const YamlNode& node) {
    const bool lacks_blank = node.kind == Kind::kScalar &&
                             absl::StrContains(node.text, ':') &&
                             !absl::StrContains(node.text, ": ");
    return lacks_blank ? "; a blank must stand after ':'" : "";
  }

  void ReadEntry(const YamlEntry& entry, const std::string& section,
                 const std::string& section_keys, Message* message) {
    const FieldDescriptor* field =
        message->GetDescriptor()->FindFieldByName(entry.key);
    if (field == nullptr) {
      AddUnknown(entry, section, section_keys, *message->GetDescriptor());
      return;
    }
    const std::string path = Join(section, entry.key);
    const std::string keys = Join(section_keys, entry.key);
    if (field->is_repeated()) {
      ReadList(entry.value, *field, path, keys, message);
    } else if (field->message_type() == nullptr) {
      ReadScalar(entry.value, *field, path, message);
    } else if (entry.value.kind != Kind::kNull) {
      ReadSection(entry.value, path, keys,
                  message->GetReflection()->MutableMessage(message, field));
    }
  }

  void ReadList(const YamlNode& node, const FieldDescriptor& field,
                const std::string& path, const std::string& keys,
                Message* message) {
    if (node.kind != Kind::kSequence) {
      ReadItem(node, field, path, keys, message);
      return;
    }
    for (size_t i = 0; i < node.items.size() && !IsFull(mistakes_); ++i) {
      ReadItem(node.items[i], field, absl::StrCat(path, "[", i, "]"), keys,
               message);
    }
  }

  void ReadItem(const YamlNode& node, const FieldDescriptor& field,
                const std::string& path, const std::string& keys,
                Message* message) {
    if (field.message_type() == nullptr) {
      ReadScalar(node, field, path, message);
    } else {
      ReadSection(node, path, keys,
                  message->GetReflection()->AddMessage(message, &field));
    }
  }

  void ReadScalar(const YamlNode& node, const FieldDescriptor& field,
                  const std::string& path, Message* message) {
    if (node.kind != Kind::kScalar) {
      AddUnexpected(path, node, ExpectedValue(field));
      return AddPlaceholder(field, message);
    }
    const absl::Status set = SetValue(field, node.text, aliases_, message);
    if (set.ok()) return;
    Add(path, node.line, set.message());
    AddPlaceholder(field, message);
  }

  static void AddPlaceholder(const FieldDescriptor& field, Message* message) {
    if (!field.is_repeated()) return;
    const bool is_text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    // Of what takes neither, such as words, there are no lists.
    (void)SetValue(field, is_text ? "" : "0", {}, message);
  }

  void AddUnknown(const YamlEntry& entry, const std::string& section,
                  const std::string& section_keys, const Descriptor& message) {
    std::vector<std::string> known = Names(message);
    if (section.empty()) {
      for (absl::string_view key : other_top_keys_) known.emplace_back(key);
    }
    std::string hint = SyntaxHint(entry);
    if (hint.empty()) {
      hint = KeyHint(root_, section_keys, entry.key, known, aliases_);
    }
    Add(Join(section, entry.key), entry.line,
        absl::StrCat("unknown key ", Quoted(entry.key), "; ", hint));
  }

  static std::vector<std::string> Names(const Descriptor& message) {
    std::vector<std::string> names;
    for (int i = 0; i < message.field_count(); ++i) {
      names.push_back(message.field(i)->name());
    }
    return names;
  }

  const Descriptor& root_;
  const Aliases aliases_;
  const absl::Span<const absl::string_view> other_top_keys_;
  Mistakes& mistakes_;
};

}  // namespace

void YamlToProto(const YamlNode& root, Aliases aliases, Message* message,
                 Mistakes* mistakes,
                 absl::Span<const absl::string_view> other_top_keys) {
  if (root.kind == Kind::kNull) return;
  Converter(*message->GetDescriptor(), aliases, other_top_keys, mistakes)
      .ReadSection(root, "", "", message);
}

std::string AtLine(int line, absl::string_view description) {
  return absl::StrCat("line ", line, ": ", description);
}

std::string Found(const YamlNode& node) {
  switch (node.kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return Quoted(node.text);
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a section of keys";
  }
  return "";
}

}  // namespace hydra

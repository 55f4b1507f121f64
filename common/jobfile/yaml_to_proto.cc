#include "common/jobfile/yaml_to_proto.h"

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/field_value.h"
#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Kind = YamlNode::Kind;

class Converter {
 public:
  Converter(const Descriptor& root, Aliases aliases, Mistakes* mistakes)
      : root_(root), aliases_(aliases), mistakes_(*mistakes) {}

  // `path` is that of the section, empty at the top level; `keys` is the same
  // without positions in lists.
  void ReadSection(const YamlNode& node, const std::string& path,
                   const std::string& keys, Message* message) {
    if (node.kind != Kind::kMap) {
      AddUnexpected(path, node, "a section of keys");
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
      return;
    }
    const absl::Status set = SetValue(field, node.text, aliases_, message);
    if (!set.ok()) Add(path, node.line, set.message());
  }

  void AddUnknown(const YamlEntry& entry, const std::string& section,
                  const std::string& section_keys, const Descriptor& message) {
    Add(Join(section, entry.key), entry.line,
        absl::StrCat("unknown key ", Quoted(entry.key), "; ",
                     Hint(entry.key, section_keys, message)));
  }

  // What to write in place of an unknown key.
  std::string Hint(absl::string_view key, absl::string_view section,
                   const Descriptor& message) const {
    const std::string meant = SuggestField(root_, section, key, aliases_);
    if (meant.empty()) {
      return absl::StrCat("known here: ", absl::StrJoin(Names(message), ", "));
    }
    const size_t dot = meant.rfind('.');
    const absl::string_view meant_section =
        dot == meant.npos ? "" : absl::string_view(meant).substr(0, dot);
    const std::string name = Quoted(meant.substr(dot + 1));
    if (meant_section == section) {
      return absl::StrCat("did you mean ", name, "?");
    }
    if (meant_section.empty()) {
      return absl::StrCat("did you mean ", name, " at the top level?");
    }
    return absl::StrCat("did you mean ", name, " under ", Quoted(meant_section),
                        "?");
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
  Mistakes& mistakes_;
};

}  // namespace

void YamlToProto(const YamlNode& root, Aliases aliases, Message* message,
                 Mistakes* mistakes) {
  if (root.kind == Kind::kNull) return;
  Converter(*message->GetDescriptor(), aliases, mistakes)
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

#include "common/model/class_labels.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = ConfigReader::Json;

constexpr char kByName[] = "label2id";
constexpr char kById[] = "id2label";

// The classes of one of the two keys; all of them right, or none.
class ClassTable {
 public:
  ClassTable(const char* key, int64_t class_count, ConfigReader& reader)
      : key_(key), class_count_(class_count), reader_(reader) {}

  void AddNamed(const std::string& name, const Json& number) {
    int64_t value = -1;
    if (number.is_number_integer()) {
      value = number.get<int64_t>();
    } else if (!number.is_string() ||
               // transformers wrote numbers as text once.
               !absl::SimpleAtoi(number.get_ref<const std::string&>(),
                                 &value)) {
      return Fail(absl::StrCat(Quoted(name), " has ", ShownJson(number),
                               "; a whole number is needed"));
    }
    Add(name, value);
  }

  void AddNumbered(const std::string& number, const Json& name) {
    int64_t value = 0;
    if (!absl::SimpleAtoi(number, &value)) {
      return Fail(absl::StrCat("found the key ", Quoted(number),
                               "; the number of a class is needed"));
    }
    if (!name.is_string()) {
      return Fail(absl::StrCat("class ", value, " has ", ShownJson(name),
                               "; a name is needed"));
    }
    Add(name.get<std::string>(), value);
  }

  bool is_right() const { return is_right_; }
  ClassNumbers Take() && {
    return is_right_ ? std::move(classes_) : ClassNumbers();
  }

 private:
  void Add(const std::string& name, int64_t number) {
    if (number < 0 || number >= class_count_) {
      return Fail(absl::StrCat(Quoted(name), " has the number ", number,
                               "; the model has classes 0 to ",
                               class_count_ - 1));
    }
    const auto [there, is_new] = classes_.try_emplace(name, number);
    if (is_new) return;
    Fail(absl::StrCat("classes ", there->second, " and ", number, " are both ",
                      Quoted(name), "; label2id must say which of them the ",
                      "name means"));
  }

  void Fail(const std::string& what) {
    reader_.Fail(key_, what);
    is_right_ = false;
  }

  const char* const key_;
  const int64_t class_count_;
  ConfigReader& reader_;
  ClassNumbers classes_;
  bool is_right_ = true;
};

ClassNumbers Read(const char* key, const Json& config, int64_t class_count,
                  ConfigReader& reader) {
  if (!reader.Has(key)) return {};
  const Json& labels = config.at(key);
  if (!labels.is_object()) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(labels),
                                  "; an object is needed, with each class"));
    return {};
  }
  ClassTable table(key, class_count, reader);
  for (const auto& [first, second] : labels.items()) {
    if (absl::string_view(key) == kByName) {
      table.AddNamed(first, second);
    } else {
      table.AddNumbered(first, second);
    }
    // Of thousands one mistake says enough.
    if (!table.is_right()) break;
  }
  return std::move(table).Take();
}

}  // namespace

ClassNumbers ReadClassLabels(const Json& config, int64_t class_count,
                             ConfigReader& reader) {
  const size_t mistakes = reader.mistakes().size();
  ClassNumbers by_name = Read(kByName, config, class_count, reader);
  // Names in id2label may be double where those of label2id say what they mean.
  if (reader.mistakes().size() > mistakes || HasNamesOfItsOwn(by_name)) {
    return by_name;
  }
  ClassNumbers by_id = Read(kById, config, class_count, reader);
  if (reader.mistakes().size() > mistakes) return {};
  return by_name.empty() || HasNamesOfItsOwn(by_id) ? by_id : by_name;
}

bool HasNamesOfItsOwn(const ClassNumbers& classes) {
  return std::any_of(classes.begin(), classes.end(), [](const auto& one) {
    return one.first != absl::StrCat("LABEL_", one.second);
  });
}

}  // namespace hydra

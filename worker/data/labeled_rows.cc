#include "worker/data/labeled_rows.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "common/text/printable.h"
#include "worker/data/row_check.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostNames = 5;

// "0 to 3", and the names that stand for them.
std::string ClassesText(const LabeledReading& reading) {
  std::string text = absl::StrCat("0 to ", reading.class_count - 1);
  std::vector<std::string> names;
  for (const auto& [name, number] : reading.class_numbers) {
    if (names.size() == kMostNames) {
      names.push_back("...");
      break;
    }
    names.push_back(Quoted(name));
  }
  if (names.empty()) return text;
  return absl::StrCat(text, ", or ", absl::StrJoin(names, ", "));
}

// Keeps the fields of a row that are asked for, and drops all else as it comes.
class LabeledRowReader : public RowCheck<Json> {
 public:
  explicit LabeledRowReader(const LabeledReading& reading)
      : reading_(reading),
        text_{reading.text_field, "data.text_field"},
        pair_{reading.text_pair_field, "data.text_pair_field"},
        label_{reading.label_field, "data.label_field"} {}

  // Once all of the row was read.
  absl::StatusOr<LabeledText> Result() {
    if (!mistake().empty()) return absl::InvalidArgumentError(mistake());
    LabeledText row;
    absl::Status status = TakeText(text_, row.text);
    if (!reading_.text_pair_field.empty()) {
      status.Update(TakeText(pair_, row.text_pair));
    }
    if (!status.ok()) return status;
    const absl::StatusOr<int64_t> row_class = ClassOf(label_);
    if (!row_class.ok()) return row_class.status();
    row.row_class = *row_class;
    return row;
  }

 private:
  struct Field {
    const std::string& name;
    // The key of a job file that names it.
    absl::string_view key;
    // What the row has there, if anything.
    std::string found = {};
    std::optional<std::string> text = {};
    std::optional<int64_t> number = {};
  };

  // Of fields that stand twice the last one counts, as Python has it. A field
  // may be asked for twice.
  void FieldIsNamed(const std::string& name) override {
    at_.clear();
    for (Field* field : {&text_, &pair_, &label_}) {
      if (field->name == name) at_.push_back(field);
    }
  }
  void FieldHas(absl::string_view what) override {
    for (Field* field : at_) {
      field->found = std::string(what);
      field->text.reset();
      field->number.reset();
    }
  }
  void FieldHasText(std::string& text) override {
    for (Field* field : at_) field->text = text;
  }
  void FieldHasNumber(int64_t number) override {
    for (Field* field : at_) field->number = number;
  }

  absl::Status Missing(const Field& field) const {
    return absl::InvalidArgumentError(
        absl::StrCat("has no ", Quoted(field.name), ", which ", field.key,
                     " names; it has ", Keys()));
  }

  absl::Status TakeText(Field& field, std::string& text) const {
    if (field.found.empty()) return Missing(field);
    if (!field.text.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(field.name), ": expected a text, found ", field.found));
    }
    text = *field.text;
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> ClassOf(const Field& field) const {
    if (field.found.empty()) return Missing(field);
    if (!field.text.has_value() && !field.number.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(field.name),
          ": expected a class's whole number or name, found ", field.found));
    }
    return ClassOfLabel(
        field.text.has_value() ? *field.text : absl::StrCat(*field.number),
        reading_);
  }

  const LabeledReading& reading_;
  Field text_;
  Field pair_;
  Field label_;
  // Those that the value which comes next is of.
  std::vector<Field*> at_;
};

// Where a CSV file's columns are.
class Columns {
 public:
  explicit Columns(const LabeledReading& reading) : reading_(reading) {}

  // The first row.
  absl::Status Name(absl::Span<const std::string> names) {
    count_ = names.size();
    absl::Status status =
        Find(names, reading_.text_field, "data.text_field", text_);
    if (!reading_.text_pair_field.empty()) {
      status.Update(
          Find(names, reading_.text_pair_field, "data.text_pair_field", pair_));
    }
    status.Update(
        Find(names, reading_.label_field, "data.label_field", label_));
    return status;
  }
  bool are_named() const { return count_ > 0; }

  absl::StatusOr<LabeledText> Of(absl::Span<const std::string> fields) const {
    if (fields.size() != count_) {
      return absl::InvalidArgumentError(
          absl::StrCat("has ", fields.size(), " fields, the first line names ",
                       count_, " columns"));
    }
    LabeledText row;
    row.text = fields[text_];
    if (!reading_.text_pair_field.empty()) row.text_pair = fields[pair_];
    const absl::StatusOr<int64_t> row_class =
        ClassOfLabel(absl::StripAsciiWhitespace(fields[label_]), reading_);
    if (!row_class.ok()) return row_class.status();
    row.row_class = *row_class;
    return row;
  }

 private:
  static absl::Status Find(absl::Span<const std::string> names,
                           const std::string& name, absl::string_view key,
                           size_t& column) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::vector<std::string> shown;
      for (const std::string& one : names.subspan(0, kMostNames)) {
        shown.push_back(Quoted(one));
      }
      if (names.size() > kMostNames) shown.push_back("...");
      return absl::InvalidArgumentError(
          absl::StrCat("names no column ", Quoted(name), ", which ", key,
                       " names; it names ", absl::StrJoin(shown, ", ")));
    }
    column = found - names.begin();
    return absl::OkStatus();
  }

  const LabeledReading& reading_;
  size_t count_ = 0;
  size_t text_ = 0;
  size_t pair_ = 0;
  size_t label_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> ClassOfLabel(absl::string_view label,
                                     const LabeledReading& reading) {
  const auto named = reading.class_numbers.find(std::string(label));
  if (named != reading.class_numbers.end()) return named->second;
  int64_t number = -1;
  if (absl::SimpleAtoi(label, &number) && number >= 0 &&
      number < reading.class_count) {
    return number;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      Quoted(reading.label_field), ": found ", Quoted(std::string(label)),
      "; the model's classes are ", ClassesText(reading)));
}

absl::StatusOr<LabeledText> LabeledTextOfRow(absl::string_view row,
                                             const LabeledReading& reading) {
  LabeledRowReader reader(reading);
  Json::sax_parse(row.begin(), row.end(), &reader);
  return reader.Result();
}

absl::StatusOr<FileDigest> ReadLabeledRows(
    PosixFile* file, const LabeledReading& reading, TaskControl& control,
    absl::FunctionRef<absl::Status(const LabeledText& row)> take) {
  int64_t empty = 0;
  const auto count_and_take =
      [&](const absl::StatusOr<LabeledText>& row) -> absl::Status {
    if (!row.ok()) return row.status();
    if (row->text.empty() && row->text_pair.empty()) ++empty;
    return take(*row);
  };
  Columns columns(reading);
  const bool is_csv = reading.format == hydra::v1::DATA_FORMAT_CSV;
  absl::StatusOr<FileDigest> digest =
      is_csv ? ReadCsvRows(file, control,
                           [&](absl::Span<const std::string> fields) {
                             return columns.are_named()
                                        ? count_and_take(columns.Of(fields))
                                        : columns.Name(fields);
                           })
             : ReadRows(file, control, [&](absl::string_view row) {
                 return count_and_take(LabeledTextOfRow(row, reading));
               });
  if (!digest.ok()) return digest;
  if (columns.are_named()) --digest->rows.rows;
  digest->rows.empty = empty;
  return digest;
}

}  // namespace hydra

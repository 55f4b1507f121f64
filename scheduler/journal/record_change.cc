#include "scheduler/journal/record_change.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using hydra::journal::v1::Change;

Change MakeChange(Change::Kind kind, int table, int64_t a, int64_t b) {
  Change change;
  change.set_kind(kind);
  change.set_table(table);
  change.set_a(a);
  change.set_b(b);
  return change;
}

}  // namespace

Change MakePut(int table, int64_t a, int64_t b, std::string value) {
  Change change = MakeChange(Change::KIND_PUT, table, a, b);
  change.set_value(std::move(value));
  return change;
}

Change MakeErase(int table, int64_t a, int64_t b) {
  return MakeChange(Change::KIND_ERASE, table, a, b);
}

Change MakeEraseFrom(int table, int64_t a, int64_t first_b) {
  return MakeChange(Change::KIND_ERASE_FROM, table, a, first_b);
}

absl::Status CheckKind(const Change& change) {
  switch (change.kind()) {
    case Change::KIND_PUT:
    case Change::KIND_ERASE:
    case Change::KIND_ERASE_FROM:
      return absl::OkStatus();
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("a change of record (", change.a(), ", ", change.b(),
                       ") in table ", change.table(), " has the unknown kind ",
                       static_cast<int>(change.kind())));
  }
}

}  // namespace hydra

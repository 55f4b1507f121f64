#include "common/model/config_reader.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

// A hundred times what the largest models have: the bytes of all blocks that a
// job could need, added up, do not overflow 64 bits.
constexpr int64_t kMaxParameters = int64_t{1} << 46;

}  // namespace

void ConfigReader::Dimension(const char* key, const char* alias, int64_t max,
                             int64_t& value) {
  auto found = json_.find(key);
  auto other = alias == nullptr ? json_.end() : json_.find(alias);
  if (found != json_.end() && other != json_.end() && *found != *other) {
    Fail(key,
         absl::StrCat("found ", ShownJson(*found), ", and ", ShownJson(*other),
                      " as ", alias, ", which means the same; remove one"));
  } else if (found != json_.end()) {
    Integer(key, *found, max, value);
  } else if (other != json_.end()) {
    Integer(alias, *other, max, value);
  } else {
    Fail(key,
         absl::StrCat("missing; an integer from 1 to ", max, " is needed"));
  }
}

void ConfigReader::OptionalDimension(const char* key, int64_t max,
                                     int64_t& value) {
  if (Has(key)) Integer(key, *json_.find(key), max, value);
}

void ConfigReader::Number(const char* key, double min, double max,
                          double& value) {
  if (!json_.contains(key)) {
    Fail(key, absl::StrCat("missing; a number from ", min, " to ", max,
                           " is needed"));
    return;
  }
  OptionalNumber(key, min, max, value);
}

void ConfigReader::OptionalNumber(const char* key, double min, double max,
                                  double& value) {
  auto found = json_.find(key);
  if (found == json_.end()) return;
  if (!found->is_number() || !(found->get<double>() >= min) ||
      !(found->get<double>() <= max)) {
    Fail(key, absl::StrCat("found ", ShownJson(*found), "; a number from ", min,
                           " to ", max, " is needed"));
    return;
  }
  value = found->get<double>();
}

void ConfigReader::OptionalBool(const char* key, bool& value) {
  auto found = json_.find(key);
  if (found == json_.end()) return;
  if (!found->is_boolean()) {
    Fail(key, absl::StrCat("found ", ShownJson(*found),
                           "; true or false is needed"));
    return;
  }
  value = found->get<bool>();
}

void ConfigReader::MustBeJson(const char* key, const Json& wanted) {
  auto found = json_.find(key);
  if (found != json_.end() && *found != wanted) {
    Fail(key, absl::StrCat("found ", ShownJson(*found), "; only ",
                           wanted.dump(), " is supported"));
  }
}

void ConfigReader::MustBeOneOf(const char* key,
                               absl::Span<const char* const> wanted) {
  auto found = json_.find(key);
  if (found == json_.end()) return;
  for (const char* value : wanted) {
    if (*found == value) return;
  }
  Fail(key, absl::StrCat("found ", ShownJson(*found), "; supported are ",
                         absl::StrJoin(wanted, ", ")));
}

void ConfigReader::MustBeEmpty(const char* key) {
  auto found = json_.find(key);
  if (found == json_.end() || found->is_null() || found->empty()) return;
  Fail(key,
       absl::StrCat("found ", ShownJson(*found), "; not supported, remove it"));
}

void ConfigReader::AtMostParameters(const char* key, int64_t parameters) {
  if (parameters <= kMaxParameters) return;
  Fail(key, absl::StrCat("the dimensions make a model of ", parameters,
                         " parameters; ", kMaxParameters, " are the most"));
}

bool ConfigReader::Has(const char* key) const {
  auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

void ConfigReader::Fail(absl::string_view key, absl::string_view what) {
  mistakes_.push_back(absl::StrCat(prefix_, key, ": ", what));
}

void ConfigReader::Add(const ConfigReader& inner) {
  mistakes_.insert(mistakes_.end(), inner.mistakes_.begin(),
                   inner.mistakes_.end());
}

absl::Status ConfigReader::Result() const {
  if (mistakes_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(mistakes_, "\n"));
}

void ConfigReader::Integer(const char* key, const Json& found, int64_t max,
                           int64_t& value) {
  const bool whole = found.is_number_integer() &&
                     (!found.is_number_unsigned() ||
                      found.get<uint64_t>() <= static_cast<uint64_t>(max));
  if (!whole || found.get<int64_t>() < 1 || found.get<int64_t>() > max) {
    Fail(key, absl::StrCat("found ", ShownJson(found),
                           "; an integer from 1 to ", max, " is needed"));
    return;
  }
  value = found.get<int64_t>();
}

}  // namespace hydra

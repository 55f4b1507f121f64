#ifndef HYDRA_COMMON_MODEL_CONFIG_READER_H_
#define HYDRA_COMMON_MODEL_CONFIG_READER_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydra {

// Far beyond any real model, and small enough that no product of a model's
// dimensions overflows 64 bits.
inline constexpr int64_t kMaxDimension = int64_t{1} << 24;
inline constexpr int64_t kMaxLayers = 10'000;

// Reads the keys of a config.json one by one and remembers every mistake: what
// the families' descriptions are made with. A value keeps what it was where its
// key is missing or wrong.
//
// `json` is an object that outlives the reader.
class ConfigReader {
 public:
  using Json = nlohmann::ordered_json;

  // `prefix` stands before each key in messages: "rope_scaling." of an object
  // inside of a config.
  explicit ConfigReader(const Json& json, std::string prefix = "")
      : json_(json), prefix_(std::move(prefix)) {}

  // An integer from 1 to `max`, which must be there. `alias`: another name for
  // it that is taken too, or null.
  void Dimension(const char* key, const char* alias, int64_t max,
                 int64_t& value);
  // The same, which may be missing or null.
  void OptionalDimension(const char* key, int64_t max, int64_t& value);
  void Number(const char* key, double min, double max, double& value);
  void OptionalNumber(const char* key, double min, double max, double& value);
  void OptionalBool(const char* key, bool& value);

  // A switch that Hydra's layers implement for one value only.
  template <typename T>
  void MustBe(const char* key, const T& wanted) {
    MustBeJson(key, Json(wanted));
  }
  void MustBeOneOf(const char* key, absl::Span<const char* const> wanted);
  // What Hydra has not, and a model only has if the key says so.
  void MustBeEmpty(const char* key);
  // Refuses a model of so many parameters if they are too many; `key` is the
  // dimension to blame.
  void AtMostParameters(const char* key, int64_t parameters);

  // Is there, and not null.
  bool Has(const char* key) const;

  void Fail(absl::string_view key, absl::string_view what);

  // In the order in which they were found: "key: what was found and what would
  // be right".
  const std::vector<std::string>& mistakes() const { return mistakes_; }
  // Takes over those of a reader of an object inside of this one's.
  void Add(const ConfigReader& inner);

  // INVALID_ARGUMENT: the mistakes, one in a line.
  absl::Status Result() const;

 private:
  void Integer(const char* key, const Json& found, int64_t max, int64_t& value);
  void MustBeJson(const char* key, const Json& wanted);

  const Json& json_;
  const std::string prefix_;
  std::vector<std::string> mistakes_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CONFIG_READER_H_

#ifndef HYDRA_WORKER_DATA_ROW_CHECK_H_
#define HYDRA_WORKER_DATA_ROW_CHECK_H_

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/json/json_mistake.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"

namespace hydra {

// What every row of JSON Lines must be: JSON, an object, and not too deep.
// Reads a row as nlohmann's sax_parse hands it out, and keeps the names of some
// of its fields; who wants more of it overrides what comes by. `Json` is that
// parser's. Not thread-safe; for one row.
template <typename Json>
class RowCheck : public nlohmann::json_sax<Json> {
 public:
  // What is wrong, behind the row's name; empty: nothing.
  const std::string& mistake() const { return mistake_; }
  // Some of the row's fields, for messages.
  std::string Keys() const {
    if (keys_.empty()) return "no fields";
    std::vector<std::string> keys = keys_;
    if (keys.size() > kMostNamedKeys) keys.back() = "...";
    return absl::StrJoin(keys, ", ");
  }

  bool null() override { return Begin("null"); }
  bool boolean(bool) override { return Begin("a boolean"); }
  bool number_integer(int64_t number) override {
    if (!Begin("a number")) return false;
    if (depth_ == 1) FieldHasNumber(number);
    return true;
  }
  bool number_unsigned(uint64_t number) override {
    if (!Begin("a number")) return false;
    if (depth_ == 1 && number <= std::numeric_limits<int64_t>::max()) {
      FieldHasNumber(static_cast<int64_t>(number));
    }
    return true;
  }
  bool number_float(double, const std::string&) override {
    return Begin("a number");
  }
  bool binary(typename Json::binary_t&) override { return Begin("binary"); }
  bool string(std::string& text) override {
    if (!Begin("a text")) return false;
    if (depth_ == 1) FieldHasText(text);
    return true;
  }
  bool start_object(size_t) override {
    return (depth_ == 0 || Begin("an object")) && Enter();
  }
  bool start_array(size_t) override { return Begin("an array") && Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool key(std::string& key) override {
    if (depth_ > 1) return true;
    if (keys_.size() <= kMostNamedKeys) keys_.push_back(Quoted(key));
    FieldIsNamed(key);
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const typename Json::exception& error) override {
    return Stop(absl::StrCat("is no JSON at its byte ", position, ": ",
                             JsonMistake(error.what())));
  }

 protected:
  // A field of the row is named, has a value, and if that is a text or a whole
  // number, this one; the text may be moved away.
  virtual void FieldIsNamed(const std::string& /*name*/) {}
  virtual void FieldHas(absl::string_view /*what*/) {}
  virtual void FieldHasText(std::string& /*text*/) {}
  virtual void FieldHasNumber(int64_t /*number*/) {}

 private:
  static constexpr size_t kMostNamedKeys = 5;

  bool Stop(std::string mistake) {
    mistake_ = std::move(mistake);
    return false;
  }
  bool Begin(absl::string_view what) {
    if (depth_ == 0) return Stop(absl::StrCat("is no object, but ", what));
    if (depth_ == 1) FieldHas(what);
    return true;
  }
  bool Enter() {
    if (++depth_ <= kMaxJsonDepth) return true;
    return Stop(absl::StrCat("has values inside of each other, more than ",
                             kMaxJsonDepth, " deep"));
  }
  bool Leave() {
    --depth_;
    return true;
  }

  int depth_ = 0;
  std::vector<std::string> keys_;
  std::string mistake_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_ROW_CHECK_H_

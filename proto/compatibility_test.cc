// hydra.v1 only grows: what a released client was made for is still there.
//
// proto/released/hydra_v1.pb has the descriptors of the newest release. A
// release replaces it:
//   protoc -Iproto -I/usr/include
//   --descriptor_set_out=proto/released/hydra_v1.pb
//     proto/hydra/v1/*.proto

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.pb.h"

namespace hydra {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::EnumValueDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptorProto;
using google::protobuf::ServiceDescriptorProto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPackage[] = "hydra.v1";

// What other programs rely on: each thing that has a name, and all that must
// not change of it.
class Promises {
 public:
  explicit Promises(const FileDescriptorSet& files) {
    for (const FileDescriptorProto& file : files.file()) {
      if (file.package() == kPackage) Add(file);
    }
  }

  const std::map<std::string, std::string>& all() const { return all_; }

 private:
  void Add(const FileDescriptorProto& file) {
    all_["go_package"] = file.options().go_package();
    all_["java_package"] = file.options().java_package();
    for (const DescriptorProto& message : file.message_type()) {
      Add(kPackage, message);
    }
    for (const EnumDescriptorProto& type : file.enum_type()) {
      Add(kPackage, type);
    }
    for (const ServiceDescriptorProto& service : file.service()) {
      for (const MethodDescriptorProto& method : service.method()) {
        all_[absl::StrCat("rpc ", kPackage, ".", service.name(), ".",
                          method.name())] =
            absl::StrCat(method.client_streaming() ? "stream " : "",
                         method.input_type(), " -> ",
                         method.server_streaming() ? "stream " : "",
                         method.output_type());
      }
    }
  }

  void Add(const std::string& scope, const DescriptorProto& message) {
    const std::string name = absl::StrCat(scope, ".", message.name());
    all_[absl::StrCat("message ", name)] = "";
    for (const FieldDescriptorProto& field : message.field()) {
      all_[absl::StrCat("field ", field.number(), " of ", name)] = absl::StrCat(
          field.name(), " ", FieldDescriptorProto::Label_Name(field.label()),
          " ", FieldDescriptorProto::Type_Name(field.type()), " ",
          field.type_name(), field.proto3_optional() ? " optional" : "",
          field.has_oneof_index()
              ? absl::StrCat(" of ",
                             message.oneof_decl(field.oneof_index()).name())
              : "");
    }
    for (const DescriptorProto& nested : message.nested_type()) {
      Add(name, nested);
    }
    for (const EnumDescriptorProto& type : message.enum_type()) {
      Add(name, type);
    }
  }

  void Add(const std::string& scope, const EnumDescriptorProto& type) {
    for (const EnumValueDescriptorProto& value : type.value()) {
      all_[absl::StrCat("value ", value.number(), " of ", scope, ".",
                        type.name())] = value.name();
    }
  }

  std::map<std::string, std::string> all_;
};

// What is not any more as it was.
std::vector<std::string> Broken(const FileDescriptorSet& released,
                                const FileDescriptorSet& now) {
  const Promises kept(now);
  const Promises made(released);
  std::vector<std::string> broken;
  for (const auto& [thing, was] : made.all()) {
    const auto found = kept.all().find(thing);
    if (found == kept.all().end()) {
      broken.push_back(absl::StrCat(thing, " is gone; it was: ", was));
    } else if (found->second != was) {
      broken.push_back(
          absl::StrCat(thing, " was: ", was, ", and is: ", found->second));
    }
  }
  return broken;
}

FileDescriptorSet Read(const char* path) {
  FileDescriptorSet files;
  std::ifstream input(path, std::ios::binary);
  EXPECT_TRUE(files.ParseFromIstream(&input)) << path;
  return files;
}

TEST(CompatibilityTest, WhatWasReleasedIsStillThere) {
  const FileDescriptorSet released = Read("proto/released/hydra_v1.pb");
  EXPECT_GT(Promises(released).all().size(), 300u);
  EXPECT_THAT(Broken(released, Read("proto/descriptors.pb")), IsEmpty())
      << "released clients rely on this: add a field, a value or a call beside "
         "it instead";
}

// One file with a message, an enum and a service.
class BrokenTest : public ::testing::Test {
 protected:
  BrokenTest() {
    FileDescriptorProto& file = *released_.add_file();
    file.set_package(kPackage);
    DescriptorProto& message = *file.add_message_type();
    message.set_name("M");
    FieldDescriptorProto& field = *message.add_field();
    field.set_name("f");
    field.set_number(1);
    field.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    field.set_type(FieldDescriptorProto::TYPE_INT64);
    EnumDescriptorProto& type = *file.add_enum_type();
    type.set_name("E");
    type.add_value()->set_name("E_ONE");
    ServiceDescriptorProto& service = *file.add_service();
    service.set_name("S");
    MethodDescriptorProto& method = *service.add_method();
    method.set_name("Call");
    method.set_input_type(".hydra.v1.M");
    method.set_output_type(".hydra.v1.M");
    now_ = released_;
  }

  FileDescriptorProto& file() { return *now_.mutable_file(0); }
  FieldDescriptorProto& field() {
    return *file().mutable_message_type(0)->mutable_field(0);
  }
  std::vector<std::string> Found() const { return Broken(released_, now_); }

  FileDescriptorSet released_;
  FileDescriptorSet now_;
};

TEST_F(BrokenTest, MoreBreaksNothing) {
  FieldDescriptorProto& more = *file().mutable_message_type(0)->add_field();
  more = field();
  more.set_name("g");
  more.set_number(2);
  file().mutable_enum_type(0)->add_value()->set_number(1);
  file().mutable_service(0)->add_method()->set_name("Other");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(BrokenTest, NamesNumbersTypesAndLabelsOfFieldsStay) {
  field().set_name("other");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("field 1 of hydra.v1.M was: f ")));
  now_ = released_;
  field().set_number(3);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("field 1 of hydra.v1.M is gone")));
  now_ = released_;
  field().set_type(FieldDescriptorProto::TYPE_SINT64);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("TYPE_SINT64")));
  now_ = released_;
  field().set_label(FieldDescriptorProto::LABEL_REPEATED);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("LABEL_REPEATED")));
  now_ = released_;
  field().set_oneof_index(0);
  file().mutable_message_type(0)->add_oneof_decl()->set_name("target");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("of target")));
}

TEST_F(BrokenTest, ValuesOfEnumsAndCallsStay) {
  file().mutable_enum_type(0)->mutable_value(0)->set_name("E_UN");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("value 0 of hydra.v1.E was: ")));
  now_ = released_;
  file().mutable_service(0)->mutable_method(0)->set_server_streaming(true);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("-> stream .hydra.v1.M")));
  file().clear_service();
  EXPECT_THAT(Found(),
              ElementsAre(HasSubstr("rpc hydra.v1.S.Call is gone; it was: ")));
}

TEST_F(BrokenTest, OtherPackagesArePromisedToNobody) {
  released_.mutable_file(0)->set_package("hydra.worker.v1");
  now_.clear_file();
  EXPECT_THAT(Found(), IsEmpty());
}

}  // namespace
}  // namespace hydra

// A ViT on folders of pictures: the same bits as on the same numbers as
// tensors, and what is said of folders and pictures that are wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/testing/tensor_files.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

using safetensors::Dtype;
using safetensors::TensorOf;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

// Of the fixture's model.
constexpr int64_t kSide = 16;
constexpr int64_t kColors = 3;
constexpr int64_t kClasses = 10;

// [kSide, kSide, kColors]: noise with a bright row for the class.
std::vector<uint8_t> Pixels(int64_t number, std::mt19937& random) {
  std::vector<uint8_t> pixels(kSide * kSide * kColors);
  for (size_t i = 0; i < pixels.size(); ++i) {
    const bool is_bright =
        static_cast<int64_t>(i) / (kSide * kColors) == number;
    pixels[i] = static_cast<uint8_t>(random() % 128 + (is_bright ? 128 : 0));
  }
  return pixels;
}

void WritePng(const std::string& path, const std::vector<uint8_t>& pixels) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = kSide;
  image.height = kSide;
  image.format = PNG_FORMAT_RGB;
  ASSERT_NE(png_image_write_to_file(&image, path.c_str(), 0, pixels.data(), 0,
                                    nullptr),
            0)
      << image.message;
}

// A picture's numbers as ViT's processor makes them, channels first.
void AppendNumbers(const std::vector<uint8_t>& pixels,
                   std::vector<float>& numbers) {
  for (int64_t color = 0; color < kColors; ++color) {
    for (int64_t i = color; i < static_cast<int64_t>(pixels.size());
         i += kColors) {
      const auto scaled = static_cast<float>(pixels[i] * (1.0 / 255));
      numbers.push_back((scaled - 0.5f) / 0.5f);
    }
  }
}

class ImagesTest : public ::testing::Test {
 protected:
  ImagesTest() {
    Write("train", 6, 1);
    Write("validation", 2, 2);
  }

  std::string PathOf(const std::string& name) const {
    return absl::StrCat(directory_, "/", name);
  }

  // A folder of pictures, and a file of tensors, with the same examples in the
  // same order.
  void Write(const std::string& split, int64_t of_each, uint32_t seed) const {
    std::mt19937 random(seed);
    std::vector<float> numbers;
    std::vector<int64_t> labels;
    for (int64_t number = 0; number < kClasses; ++number) {
      const std::string folder = absl::StrCat(PathOf(split), "/class-", number);
      fs::create_directories(folder);
      for (int64_t i = 0; i < of_each; ++i) {
        const std::vector<uint8_t> pixels = Pixels(number, random);
        WritePng(absl::StrCat(folder, "/", i, ".png"), pixels);
        AppendNumbers(pixels, numbers);
        labels.push_back(number);
      }
    }
    const auto count = static_cast<int64_t>(labels.size());
    safetensors::WriteTensors(
        PathOf(split + ".safetensors"),
        {TensorOf("pixel_values", Dtype::kF32, {count, kColors, kSide, kSide},
                  numbers),
         TensorOf("labels", Dtype::kI64, {count}, labels)});
  }

  // Six steps of AdamW.
  v1::JobSpec Job(v1::DataFormat format) const {
    const bool is_images = format == v1::DATA_FORMAT_IMAGES;
    v1::JobSpec spec;
    spec.set_name("images");
    spec.mutable_model()->set_path(model_);
    v1::DataSpec& data = *spec.mutable_data();
    data.set_format(format);
    data.add_train_files(PathOf(is_images ? "train" : "train.safetensors"));
    data.add_validation_files(
        PathOf(is_images ? "validation" : "validation.safetensors"));
    v1::TrainSpec& train = *spec.mutable_train();
    train.set_max_steps(6);
    train.set_per_device_train_batch_size(4);
    train.set_gradient_accumulation_steps(2);
    train.set_optim(v1::OPTIMIZER_ADAMW);
    train.set_learning_rate(1e-3);
    spec.mutable_evaluation()->set_eval_steps(3);
    return spec;
  }
  v1::JobSpec Job() const { return Job(v1::DATA_FORMAT_IMAGES); }

  const std::string directory_ = FreshDirectory();
  const std::string model_ = CopyOfFixture("vit-tiny", directory_);
};

TEST_F(ImagesTest, GiveTheBitsOfTheSameTensorsHoweverTheModelIsCut) {
  Cluster cluster(TwoDevices());
  const v1::JobDetail tensors = cluster.Run(Job(v1::DATA_FORMAT_TENSORS));
  ASSERT_EQ(tensors.status().state(), v1::JOB_STATE_COMPLETED)
      << tensors.status().reason();
  v1::JobSpec spec = Job();
  const v1::JobDetail whole = cluster.Run(spec);
  ASSERT_EQ(whole.status().state(), v1::JOB_STATE_COMPLETED)
      << whole.status().reason();
  EXPECT_EQ(Difference(OutcomeOf(whole), OutcomeOf(tensors)), "");
  EXPECT_TRUE(whole.status().has_validation_accuracy());
  EXPECT_THAT(ReadFile(whole.output_path() + "/config.json"),
              HasSubstr("\"class-1\": 1"));
  for (int cut : {1, 2, 3}) spec.mutable_partition()->add_cut_points(cut);
  EXPECT_EQ(Difference(OutcomeOf(cluster.Run(spec)), OutcomeOf(tensors)), "");
}

TEST_F(ImagesTest, TheModelsProcessorIsUsedAndGoesAlong) {
  // The same again, said in another way.
  const std::string processor =
      R"({"image_processor_type": "ViTImageProcessor", "size": 16,
          "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
          "do_rescale": true, "rescale_factor": 0.00392156862745098})";
  WriteFile(model_ + "/preprocessor_config.json", processor);
  Cluster cluster({});
  const v1::JobDetail tensors = cluster.Run(Job(v1::DATA_FORMAT_TENSORS));
  const v1::JobDetail same = cluster.Run(Job());
  EXPECT_EQ(Difference(OutcomeOf(same), OutcomeOf(tensors)), "");
  EXPECT_EQ(ReadFile(same.output_path() + "/preprocessor_config.json"),
            processor);
  // And other numbers are other losses.
  WriteFile(model_ + "/preprocessor_config.json",
            R"({"size": 16, "image_mean": 0.25})");
  const v1::JobDetail other = cluster.Run(Job());
  ASSERT_EQ(other.status().state(), v1::JOB_STATE_COMPLETED)
      << other.status().reason();
  EXPECT_NE(Difference(OutcomeOf(other), OutcomeOf(tensors)), "");
}

TEST_F(ImagesTest, APlanTakesThemAndAWarningCountsOtherFiles) {
  WriteFile(PathOf("train/readme.txt"), "not a picture");
  Cluster cluster({});
  v1::PlanRequest request;
  *request.mutable_job() = Job();
  request.add_device_memory_bytes(int64_t{64} << 20);
  grpc::ClientContext context;
  v1::PlanResponse response;
  const grpc::Status status = cluster.stub().Plan(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.jobs_size(), 1);
  const v1::JobDetail job = cluster.Run(Job());
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED);
  EXPECT_THAT(job.warnings(), Contains(AllOf(HasSubstr("are not read: 1; "),
                                             HasSubstr("/train/readme.txt"))));
}

TEST_F(ImagesTest, FoldersThatAreWrongAreRefused) {
  Cluster cluster({});
  const auto error_of = [&](const v1::JobSpec& spec) {
    v1::SubmitRequest request;
    *request.mutable_job() = spec;
    grpc::ClientContext context;
    v1::SubmitResponse response;
    const grpc::Status status =
        cluster.stub().Submit(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::JobSpec spec = Job();
  spec.mutable_data()->set_train_files(0, PathOf("train.safetensors"));
  EXPECT_THAT(error_of(spec),
              HasSubstr("is not a directory; data.format images takes"));
  spec = Job();
  spec.mutable_data()->set_train_files(0, PathOf("train/class-0"));
  EXPECT_THAT(error_of(spec), AllOf(HasSubstr("data.train_files[0]: "),
                                    HasSubstr("has no folders in it")));
  spec = Job();
  spec.mutable_model()->set_path(CopyOfFixture("gpt2-tiny", directory_));
  EXPECT_THAT(error_of(spec), HasSubstr("data.format: found images, but GPT-2 "
                                        "takes token ids"));
  spec = Job();
  spec.mutable_train()->set_context_length(16);
  EXPECT_THAT(error_of(spec),
              HasSubstr("data.format images has no tokens; remove it"));
  fs::remove_all(PathOf("train/class-9"));
  EXPECT_THAT(error_of(Job()),
              HasSubstr("data.train_files: found 9 folders of classes"));
}

TEST_F(ImagesTest, APictureThatCannotBeReadFailsTheJobByItsPath) {
  Cluster cluster({});
  const std::string path = PathOf("train/class-3/4.png");
  const auto reason_of = [&](const std::string& content) {
    WriteFile(path, content);
    const v1::JobDetail job = cluster.Run(Job());
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
    return job.status().reason();
  };
  const std::string whole = ReadFile(path);
  EXPECT_THAT(reason_of(whole.substr(0, whole.size() / 2)),
              HasSubstr("train/class-3/4.png cannot be decoded: "));
  EXPECT_THAT(reason_of("a text"),
              HasSubstr("train/class-3/4.png is no JPEG and no PNG picture"));
}

}  // namespace
}  // namespace hydra

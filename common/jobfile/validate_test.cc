#include "common/jobfile/validate.h"

#include <functional>
#include <limits>
#include <string>

#include "common/jobfile/testing/valid_job.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string MessageOf(const v1::JobSpec& job) {
  Mistakes mistakes;
  ValidateJob(job, &mistakes);
  return std::string(ToStatus(mistakes).message());
}

TEST(ValidateJobTest, AcceptsAJobWithAndWithoutDefaults) {
  v1::JobSpec job = ValidJob();
  EXPECT_EQ(MessageOf(job), "");
  FillDefaults(&job);
  EXPECT_EQ(MessageOf(job), "");
}

TEST(CheckStepTokensTest, AStepOrAnEvaluationBatchHasAtMost64MiTokens) {
  v1::JobSpec job = ValidJob();
  FillDefaults(&job);
  job.mutable_train()->set_context_length(1024);
  job.mutable_train()->set_gradient_accumulation_steps(8192);
  Mistakes none;
  CheckStepTokens(job, &none);
  EXPECT_TRUE(none.empty());

  job.mutable_train()->set_gradient_accumulation_steps(8193);
  job.mutable_evaluation()->set_per_device_eval_batch_size(65'536);
  job.mutable_train()->set_context_length(1025);
  Mistakes both;
  CheckStepTokens(job, &both);
  ASSERT_EQ(both.size(), 2);
  EXPECT_EQ(both[0].field(), "train.gradient_accumulation_steps");
  EXPECT_EQ(both[0].description(),
            "one step would have 65544 sequences of 1025 tokens, 67182600 in "
            "all; at most 67108864 are possible");
  EXPECT_EQ(both[1].field(), "evaluation.per_device_eval_batch_size");
}

TEST(ValidateJobTest, AcceptsEveryFieldAtItsLimits) {
  v1::JobSpec job = ValidJob();
  job.set_name(std::string(100, 'a'));
  v1::TrainSpec* train = job.mutable_train();
  train->clear_max_steps();
  train->set_num_train_epochs(0.25);
  train->set_per_device_train_batch_size(65'536);
  train->set_gradient_accumulation_steps(1);
  train->set_context_length(1);
  train->set_optim(v1::OPTIMIZER_SGD);
  train->set_momentum(0.99);
  train->set_adam_beta1(0);
  train->set_dropout(0);
  train->set_seed(0);
  train->set_max_nonfinite_steps(1'000'000);
  job.mutable_checkpoint()->set_every_steps(0);
  job.mutable_checkpoint()->set_every_minutes(0);
  job.mutable_checkpoint()->set_keep_last(1);
  job.mutable_partition()->add_cut_points(1);
  job.mutable_partition()->add_cut_points(2);
  EXPECT_EQ(MessageOf(job), "");
}

TEST(ValidateJobTest, ProductsOfFloat16HaveAScaledLoss) {
  v1::JobSpec job = ValidJob();
  v1::TrainSpec* train = job.mutable_train();
  train->set_fp16(true);
  EXPECT_EQ(MessageOf(job), "");
  for (double scale : {1.0, 128.0, 0x1p40, 0x1p64}) {
    train->set_loss_scale(scale);
    for (int interval : {0, 1, 2000}) {
      train->set_loss_scale_growth_interval(interval);
      EXPECT_EQ(MessageOf(job), "") << scale << " " << interval;
    }
  }
  for (double scale :
       {0.0, 0.5, -2.0, 1000.0, 0x1p65, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()}) {
    train->set_loss_scale(scale);
    EXPECT_NE(MessageOf(job).find("train.loss_scale: expected a power of two"),
              std::string::npos)
        << scale;
  }
  train->set_loss_scale(65536);
  train->set_loss_scale_growth_interval(-1);
  EXPECT_EQ(MessageOf(job),
            "train.loss_scale_growth_interval: expected a whole number from 0 "
            "to 1000000000, found -1");
  train->set_loss_scale_growth_interval(2000);
  train->set_bf16(true);
  EXPECT_EQ(MessageOf(job),
            "train.fp16: found true beside bf16 true; remove one of the two");
  train->set_bf16(false);
  train->set_update_on(v1::UPDATE_PLACE_DEVICE);
  EXPECT_EQ(MessageOf(job),
            "train.update_on: with fp16 the host updates parameters, since "
            "gradients wait in its memory until it is known whether one "
            "overflowed; found device; remove it");
}

TEST(ValidateJobTest, OnlyFloat16HasAScaledLoss) {
  v1::JobSpec job = ValidJob();
  job.mutable_train()->set_bf16(true);
  job.mutable_train()->set_loss_scale(65536);
  EXPECT_EQ(MessageOf(job),
            "train.loss_scale: it is for fp16 alone, whose range is small; "
            "remove it, or set fp16 to true");
  job.mutable_train()->clear_loss_scale();
  job.mutable_train()->set_loss_scale_growth_interval(2000);
  EXPECT_EQ(MessageOf(job),
            "train.loss_scale_growth_interval: it is for fp16 alone, whose "
            "range is small; remove it, or set fp16 to true");
}

TEST(ValidateJobTest, AJobNamesAtMostTenThousandFiles) {
  v1::JobSpec job = ValidJob();
  for (int i = 1; i < kMaxDataFiles; ++i) {
    // Of some hundred bytes, as ordinary ones.
    job.mutable_data()->add_validation_files("/" + std::string(95, 'a'));
  }
  EXPECT_EQ(MessageOf(job), "");
  job.mutable_data()->add_test_files("/one-more");
  EXPECT_EQ(MessageOf(job),
            "data: expected at most 10000 files in all splits, found 10001; "
            "join some of them");
}

TEST(ValidateJobTest, AJobIsNotLargerThanAMegabyteAndAllElseIsSaidToo) {
  v1::JobSpec job = ValidJob();
  job.mutable_train()->set_learning_rate(-1);
  for (int i = 0; i < 1000; ++i) {
    job.mutable_data()->add_test_files("/" + std::string(4000, 'a'));
  }
  const std::string message = MessageOf(job);
  EXPECT_NE(message.find("expected a job of at most 1048576 bytes with all of "
                         "its paths, found 40"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("train.learning_rate"), std::string::npos);
}

TEST(ValidateJobTest, TellsAllThatAnEmptyJobLacks) {
  EXPECT_EQ(MessageOf(v1::JobSpec()),
            "model.path: expected the model's directory, found nothing\n"
            "data.train_files: expected at least one file, found none\n"
            "train.max_steps: expected one of max_steps and num_train_epochs, "
            "found neither\n"
            "train.per_device_train_batch_size: expected a whole number from 1 "
            "to 65536, found 0\n"
            "train.learning_rate: expected a finite number above 0, found 0");
}

// A valid job with one thing changed, and all that is told about it.
TEST(ValidateJobTest, ExplainsEachMistake) {
  using Job = v1::JobSpec;
  const struct {
    std::function<void(Job*)> change;
    absl::string_view message;
  } kCases[] = {
      {[](Job* j) { j->set_priority(1001); },
       "priority: expected a whole number from -1000 to 1000, found 1001"},
      {[](Job* j) { j->set_priority(-1001); },
       "priority: expected a whole number from -1000 to 1000, found -1001"},
      {[](Job* j) { j->set_name("a/b"); },
       "name: expected letters, digits, '-', '_' and '.' only, found 'a/b'"},
      {[](Job* j) { j->set_name("a\nb"); },
       "name: expected letters, digits, '-', '_' and '.' only, found "
       "'a\\nb'"},
      {[](Job* j) { j->set_name(std::string(101, 'a')); },
       "name: expected at most 100 characters, found 101"},
      {[](Job* j) { j->set_name("-rf"); },
       "name: expected a letter, a digit or '_' first, found '-rf'"},
      {[](Job* j) { j->set_name(".."); },
       "name: expected a letter, a digit or '_' first, found '..'"},
      {[](Job* j) {
         j->mutable_train()->set_max_steps(-1);
         j->mutable_train()->set_num_train_epochs(2);
       },
       "train.max_steps: found -1; leave it out, num_train_epochs is given"},
      {[](Job* j) { j->mutable_model()->set_path("models/gpt2"); },
       "model.path: expected an absolute path, found 'models/gpt2'"},
      {[](Job* j) { j->mutable_model()->set_tokenizer_path("/a\tb"); },
       "model.tokenizer_path: expected a path without control characters, "
       "found '/a\\tb'"},
      {[](Job* j) {
         j->mutable_model()->set_init(static_cast<v1::Initialization>(9));
       },
       "model.init: expected one of pretrained, random, found the unknown "
       "value 9"},
      {[](Job* j) { j->mutable_data()->add_train_files(""); },
       "data.train_files[1]: expected an absolute path, found ''"},
      {[](Job* j) { j->mutable_data()->add_test_files("~/t"); },
       "data.test_files[0]: expected an absolute path, found '~/t'; '~' is "
       "not expanded, write the directory out"},
      {[](Job* j) {
         j->mutable_data()->set_format(static_cast<v1::DataFormat>(99));
       },
       "data.format: expected one of text, tokens_u16, tokens_u32, jsonl, "
       "chat, instruction, tensors, labeled, csv, images, found the unknown "
       "value 99"},
      {[](Job* j) { j->mutable_train()->set_max_steps(0); },
       "train.max_steps: expected a whole number from 1 to 1000000000000, "
       "found 0"},
      {[](Job* j) { j->mutable_train()->set_num_train_epochs(3); },
       "train.max_steps: expected one of max_steps and num_train_epochs, "
       "found both"},
      {[](Job* j) {
         j->mutable_train()->clear_max_steps();
         j->mutable_train()->set_num_train_epochs(kNan);
       },
       "train.num_train_epochs: expected a number above 0 and at most "
       "1000000, found nan"},
      {[](Job* j) {
         j->mutable_train()->set_per_device_train_batch_size(65'537);
       },
       "train.per_device_train_batch_size: expected a whole number from 1 to "
       "65536, found 65537"},
      {[](Job* j) { j->mutable_train()->set_gradient_accumulation_steps(0); },
       "train.gradient_accumulation_steps: expected a whole number from 1 to "
       "65536, found 0"},
      {[](Job* j) { j->mutable_train()->set_context_length(0); },
       "train.context_length: expected a whole number from 1 to 1048576, "
       "found 0"},
      {[](Job* j) {
         j->mutable_train()->set_optim(static_cast<v1::Optimizer>(17));
       },
       "train.optim: expected one of sgd, adam, adamw, lion, adafactor, found "
       "the unknown "
       "value 17"},
      {[](Job* j) { j->mutable_train()->set_learning_rate(-1); },
       "train.learning_rate: expected a finite number above 0, found -1"},
      {[](Job* j) { j->mutable_train()->set_learning_rate(kInfinity); },
       "train.learning_rate: expected a finite number above 0, found inf"},
      {[](Job* j) { j->mutable_train()->set_learning_rate(kNan); },
       "train.learning_rate: expected a finite number above 0, found nan"},
      {[](Job* j) { j->mutable_train()->set_weight_decay(-0.1); },
       "train.weight_decay: expected a finite number of at least 0, found "
       "-0.1"},
      {[](Job* j) { j->mutable_train()->set_adam_beta1(1); },
       "train.adam_beta1: expected a number from 0 to below 1, found 1"},
      {[](Job* j) { j->mutable_train()->set_adam_beta2(-0.5); },
       "train.adam_beta2: expected a number from 0 to below 1, found -0.5"},
      {[](Job* j) { j->mutable_train()->set_adam_epsilon(1e-50); },
       "train.adam_epsilon: expected a number from 1.17549e-38 to "
       "3.40282e+38, as fp32 has them, found 1e-50"},
      {[](Job* j) { j->mutable_train()->set_learning_rate(1e-40); },
       "train.learning_rate: expected a number from 1.17549e-38 to "
       "3.40282e+38, as fp32 has them, found 1e-40"},
      {[](Job* j) { j->mutable_data()->set_text_field("body"); },
       "data.text_field: found 'body', but only rows of jsonl, labeled and csv "
       "have fields; set format to one of them or remove it"},
      {[](Job* j) { j->mutable_data()->set_label_field("gold"); },
       "data.label_field: found 'gold', but only rows of labeled and csv have "
       "it; set format to one of them or remove it"},
      {[](Job* j) {
         j->mutable_data()->set_format(v1::DATA_FORMAT_JSONL);
         j->mutable_data()->set_text_pair_field("second");
       },
       "data.text_pair_field: found 'second', but only rows of labeled and csv "
       "have it; set format to one of them or remove it"},
      {[](Job* j) {
         j->mutable_data()->set_format(v1::DATA_FORMAT_CSV);
         j->mutable_data()->set_packing(true);
       },
       "data.packing: rows of labeled and csv are sequences of their own; "
       "remove it"},
      {[](Job* j) { j->mutable_train()->set_mlm_probability(0); },
       "train.mlm_probability: expected more than 0, found 0"},
      {[](Job* j) { j->mutable_train()->set_mlm_probability(1); },
       "train.mlm_probability: expected a number from 0 to below 1, found 1"},
      {[](Job* j) { j->mutable_data()->set_chat_template("/t.jinja"); },
       "data.chat_template: only rows of chat and instruction have it; set "
       "format to one of them or remove it"},
      {[](Job* j) { j->mutable_data()->set_train_on_prompt(true); },
       "data.train_on_prompt: only rows of chat and instruction have it; set "
       "format to one of them or remove it"},
      {[](Job* j) { j->mutable_data()->set_packing(false); },
       "data.packing: only rows of chat and instruction have it; set format to "
       "one of them or remove it"},
      {[](Job* j) { j->mutable_train()->set_warmup_steps(-1); },
       "train.warmup_steps: expected a whole number from 0 to 1000000000000, "
       "found -1"},
      {[](Job* j) {
         j->mutable_train()->set_max_steps(10);
         j->mutable_train()->set_warmup_steps(11);
       },
       "train.warmup_steps: expected max_steps at most, here 10, found 11"},
      {[](Job* j) { j->mutable_train()->set_warmup_ratio(1); },
       "train.warmup_ratio: expected a number from 0 to below 1, found 1"},
      {[](Job* j) {
         j->mutable_train()->set_warmup_steps(2);
         j->mutable_train()->set_warmup_ratio(0.5);
       },
       "train.warmup_ratio: found 0.5 beside warmup_steps 2; remove one of the "
       "two"},
      {[](Job* j) {
         j->mutable_train()->set_learning_rate(0.25);
         j->mutable_train()->set_min_learning_rate(0.5);
         j->mutable_train()->set_lr_scheduler_type(
             v1::LR_SCHEDULER_TYPE_LINEAR);
       },
       "train.min_learning_rate: expected learning_rate at most, here 0.25, "
       "found 0.5"},
      {[](Job* j) {
         j->mutable_train()->set_learning_rate(0.5);
         j->mutable_train()->set_min_learning_rate(0.25);
       },
       "train.min_learning_rate: found 0.25, but the learning rate does not "
       "fall; set lr_scheduler_type to linear or cosine, or remove it"},
      {[](Job* j) {
         j->mutable_train()->set_lr_scheduler_type(
             static_cast<v1::LrSchedulerType>(9));
       },
       "train.lr_scheduler_type: expected one of constant, linear, cosine, "
       "found the unknown value 9"},
      {[](Job* j) { j->mutable_train()->set_max_grad_norm(-1); },
       "train.max_grad_norm: expected a finite number of at least 0, found -1"},
      {[](Job* j) {
         j->mutable_train()->set_max_grad_norm(0.5);
         j->mutable_train()->set_update_on(hydra::v1::UPDATE_PLACE_DEVICE);
       },
       "train.update_on: with max_grad_norm, here 0.5, the host updates "
       "parameters, since gradients wait in its memory; found device; remove "
       "it"},
      {[](Job* j) { j->mutable_train()->set_weight_decay(1e39); },
       "train.weight_decay: expected a number from 1.17549e-38 to "
       "3.40282e+38, as fp32 has them, found 1e+39"},
      {[](Job* j) { j->mutable_train()->set_adam_epsilon(0); },
       "train.adam_epsilon: expected a finite number above 0, found 0"},
      {[](Job* j) { j->mutable_train()->set_momentum(0.9); },
       "train.momentum: momentum is for sgd only, found 0.9; remove it or set "
       "optim to sgd"},
      {[](Job* j) {
         j->mutable_train()->set_optim(v1::OPTIMIZER_SGD);
         j->mutable_train()->set_momentum(1);
       },
       "train.momentum: expected a number from 0 to below 1, found 1"},
      {[](Job* j) { j->mutable_train()->set_dropout(1); },
       "train.dropout: expected a number from 0 to below 1, found 1"},
      {[](Job* j) { j->mutable_evaluation()->set_eval_steps(-1); },
       "evaluation.eval_steps: expected a whole number from 0 to "
       "1000000000000, found -1"},
      {[](Job* j) { j->mutable_evaluation()->set_eval_steps(5); },
       "evaluation.eval_steps: found 5, but data.validation_files names no "
       "file; add one or remove eval_steps"},
      {[](Job* j) { j->mutable_train()->set_label_smoothing_factor(1); },
       "train.label_smoothing_factor: expected a number from 0 to below 1, "
       "found 1"},
      {[](Job* j) { j->mutable_evaluation()->set_early_stopping_patience(-1); },
       "evaluation.early_stopping_patience: expected a whole number from 0 to "
       "1000000, found -1"},
      {[](Job* j) { j->mutable_evaluation()->set_early_stopping_patience(3); },
       "evaluation.early_stopping_patience: found 3, but with eval_steps 0 "
       "nothing is evaluated before the end; set eval_steps or remove it"},
      {[](Job* j) {
         j->mutable_evaluation()->set_early_stopping_patience(3);
         j->mutable_evaluation()->set_eval_steps(5);
       },
       "evaluation.eval_steps: found 5, but data.validation_files names no "
       "file; add one or remove eval_steps"},
      {[](Job* j) {
         j->mutable_evaluation()->set_early_stopping_threshold(0.25);
       },
       "evaluation.early_stopping_threshold: found 0.25, but no job stops "
       "early without early_stopping_patience; add it or remove this"},
      {[](Job* j) {
         j->mutable_evaluation()->set_early_stopping_threshold(-1);
       },
       "evaluation.early_stopping_threshold: expected a finite number of at "
       "least 0, found -1"},
      {[](Job* j) {
         j->mutable_evaluation()->set_per_device_eval_batch_size(0);
       },
       "evaluation.per_device_eval_batch_size: expected a whole number from 1 "
       "to 65536, found 0"},
      {[](Job* j) { j->mutable_evaluation()->set_max_eval_batches(-2); },
       "evaluation.max_eval_batches: expected a whole number from 0 to "
       "1000000000000, found -2"},
      {[](Job* j) { j->mutable_output()->set_output_dir("out"); },
       "output.output_dir: expected an absolute path, found 'out'"},
      {[](Job* j) { j->mutable_output()->set_merge_adapters(true); },
       "output.merge_adapters: found true, but this job trains no adapters; "
       "add a section lora, or remove it"},
      {[](Job* j) {
         j->mutable_lora();
         j->mutable_output()->set_merge_adapters(true);
         j->mutable_output()->set_save_model(false);
       },
       "output.merge_adapters: found true, but save_model is false, and "
       "nothing is written; remove one of the two"},
      {[](Job* j) { j->mutable_partition()->add_cut_points(0); },
       "partition.cut_points[0]: expected a layer of at least 1, found 0"},
      {[](Job* j) {
         j->mutable_partition()->add_cut_points(3);
         j->mutable_partition()->add_cut_points(3);
       },
       "partition.cut_points[1]: expected a layer above 3, the cut point "
       "before it, found 3"},
      {[](Job* j) {
         j->mutable_partition()->add_cut_points(3);
         j->mutable_partition()->set_shards(hydra::v1::SHARD_CHOICE_LONGEST);
       },
       "partition.shards: a pilot chooses by it, and with cut_points there is "
       "no pilot; remove one of the two"},
      {[](Job* j) {
         j->mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
         j->mutable_train()->set_update_on(v1::UPDATE_PLACE_DEVICE);
       },
       "train.update_on: with adafactor the host updates parameters, since an "
       "update needs a tensor's gradient as a whole, which waits in its "
       "memory; found device; remove it"},
      {[](Job* j) { j->mutable_train()->set_max_nonfinite_steps(-1); },
       "train.max_nonfinite_steps: expected a whole number from 0 to 1000000, "
       "found -1"},
      {[](Job* j) { j->mutable_train()->set_max_nonfinite_steps(1'000'001); },
       "train.max_nonfinite_steps: expected a whole number from 0 to 1000000, "
       "found 1000001"},
      {[](Job* j) { j->mutable_checkpoint()->set_every_steps(-1); },
       "checkpoint.every_steps: expected a whole number from 0 to "
       "1000000000000, found -1"},
      {[](Job* j) { j->mutable_checkpoint()->set_every_minutes(-0.5); },
       "checkpoint.every_minutes: expected a finite number of at least 0, "
       "found -0.5"},
      {[](Job* j) { j->mutable_checkpoint()->set_every_minutes(kInfinity); },
       "checkpoint.every_minutes: expected a finite number of at least 0, "
       "found inf"},
      {[](Job* j) { j->mutable_checkpoint()->set_every_minutes(kNan); },
       "checkpoint.every_minutes: expected a finite number of at least 0, "
       "found nan"},
      {[](Job* j) { j->mutable_checkpoint()->set_keep_last(0); },
       "checkpoint.keep_last: expected a whole number from 1 to 1000, found 0"},
      {[](Job* j) { j->mutable_checkpoint()->set_keep_last(1001); },
       "checkpoint.keep_last: expected a whole number from 1 to 1000, found "
       "1001"},
  };
  for (const auto& test : kCases) {
    v1::JobSpec job = ValidJob();
    test.change(&job);
    EXPECT_EQ(MessageOf(job), test.message);
  }
}

// With data of a format that `name` names.
void ExpectNothingThatBelongsToTokens(v1::DataFormat format,
                                      const std::string& name) {
  v1::JobSpec job = ValidJob();
  job.mutable_data()->set_format(format);
  EXPECT_EQ(MessageOf(job), "");
  v1::JobSpec filled = job;
  FillDefaults(&filled);
  filled.mutable_train()->set_context_length(1);
  EXPECT_EQ(MessageOf(filled), "");
  job.mutable_model()->set_tokenizer_path("/models/other");
  job.mutable_data()->set_packing(true);
  job.mutable_data()->set_text_field("text");
  job.mutable_data()->set_chat_template("/models/template");
  job.mutable_train()->set_context_length(128);
  const std::string message = MessageOf(job);
  for (const char* field :
       {"model.tokenizer_path", "data.packing", "train.context_length"}) {
    EXPECT_NE(message.find(std::string(field) + ": data.format " + name +
                           " has no tokens; remove it"),
              std::string::npos)
        << field << " in " << message;
  }
  for (const char* field : {"data.text_field", "data.chat_template"}) {
    EXPECT_NE(message.find(field), std::string::npos) << field;
  }
}

TEST(ValidateJobTest, ExamplesHaveNothingThatBelongsToTokens) {
  ExpectNothingThatBelongsToTokens(v1::DATA_FORMAT_TENSORS, "tensors");
  ExpectNothingThatBelongsToTokens(v1::DATA_FORMAT_IMAGES, "images");
}

TEST(ValidateJobTest, RefusesAdaptersThatCannotBe) {
  v1::JobSpec job = ValidJob();
  job.mutable_lora()->set_r(65'536);
  job.mutable_lora()->set_lora_alpha(0.5);
  job.mutable_lora()->set_use_rslora(true);
  EXPECT_EQ(MessageOf(job), "");
  job.mutable_lora()->set_r(0);
  job.mutable_lora()->set_lora_alpha(0);
  job.mutable_lora()->set_lora_dropout(1);
  EXPECT_EQ(MessageOf(job),
            "lora.r: expected a whole number from 1 to 65536, found 0\n"
            "lora.lora_alpha: expected a finite number above 0, found 0\n"
            "lora.lora_dropout: expected a number from 0 to below 1, found 1");
}

TEST(ValidateJobTest, RefusesFrozenLayersBesideAdapters) {
  v1::JobSpec job = ValidJob();
  job.mutable_model()->add_frozen("*.h.0.*");
  EXPECT_EQ(MessageOf(job), "");
  job.mutable_model()->add_frozen("");
  EXPECT_EQ(MessageOf(job),
            "model.frozen[1]: expected a pattern of tensors' names, found "
            "nothing");
  job.mutable_model()->mutable_frozen()->RemoveLast();
  job.mutable_lora();
  EXPECT_EQ(MessageOf(job),
            "model.frozen: with lora, all of the model is frozen already; "
            "remove one of the two");
}

TEST(ValidateJobTest, OnlyFrozenParametersHaveTwoBytes) {
  v1::JobSpec job = ValidJob();
  job.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_FLOAT32);
  EXPECT_EQ(MessageOf(job), "");
  job.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  EXPECT_EQ(MessageOf(job),
            "model.frozen_dtype: this job trains all of its model; it is for "
            "the parameters that lora or model.frozen leave as they are, and "
            "model.trained_dtype for those that are trained");
  job.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  EXPECT_NE(MessageOf(job), "");
  job.mutable_lora();
  EXPECT_EQ(MessageOf(job), "");
}

TEST(ValidateJobTest, WhatIsTrainedIsFloat32OrBFloat16) {
  v1::JobSpec job = ValidJob();
  for (v1::ParameterType type :
       {v1::PARAMETER_TYPE_FLOAT32, v1::PARAMETER_TYPE_BFLOAT16}) {
    job.mutable_model()->set_trained_dtype(type);
    EXPECT_EQ(MessageOf(job), "");
  }
  job.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_AUTO);
  EXPECT_EQ(MessageOf(job),
            "model.trained_dtype: auto is for parameters that stay as the "
            "checkpoint has them; expected float32 or bfloat16");
  job.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_FLOAT16);
  EXPECT_EQ(MessageOf(job),
            "model.trained_dtype: float16 has no room for large parameters; "
            "expected float32 or bfloat16 (train.fp16 computes products in "
            "float16)");
}

TEST(ValidateJobTest, Int8IsForWhatIsNotTrained) {
  v1::JobSpec job = ValidJob();
  job.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_INT8);
  EXPECT_EQ(MessageOf(job),
            "model.trained_dtype: int8 is for parameters that lora or "
            "model.frozen leave as they are (model.frozen_dtype); expected "
            "float32 or bfloat16");
}

TEST(ValidateJobTest, AdaptersAreFloat32) {
  v1::JobSpec job = ValidJob();
  job.mutable_lora();
  job.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_FLOAT32);
  EXPECT_EQ(MessageOf(job), "");
  job.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  EXPECT_EQ(MessageOf(job),
            "model.trained_dtype: with lora, adapters alone are trained, which "
            "are float32 always; remove it (model.frozen_dtype says how the "
            "model lies)");
}

TEST(FillDefaultsTest, AdaptersAreThoseOfPeft) {
  v1::JobSpec job = ValidJob();
  FillDefaults(&job);
  EXPECT_FALSE(job.has_lora());
  EXPECT_EQ(job.model().frozen_dtype(), v1::PARAMETER_TYPE_UNSPECIFIED);
  job.mutable_lora();
  FillDefaults(&job);
  EXPECT_EQ(job.model().frozen_dtype(), v1::PARAMETER_TYPE_AUTO);
  EXPECT_EQ(job.lora().r(), 8);
  EXPECT_EQ(job.lora().lora_alpha(), 8);
  EXPECT_EQ(job.lora().lora_dropout(), 0);
  EXPECT_EQ(job.lora().target_modules_size(), 0);
  EXPECT_FALSE(job.lora().use_rslora());
  job.mutable_lora()->set_r(4);
  job.mutable_lora()->set_lora_alpha(32);
  FillDefaults(&job);
  EXPECT_EQ(job.lora().r(), 4);
  EXPECT_EQ(job.lora().lora_alpha(), 32);
}

TEST(FillDefaultsTest, FillsWhatIsUnset) {
  v1::JobSpec job = ValidJob();
  FillDefaults(&job);
  EXPECT_EQ(job.name(), "job");
  EXPECT_EQ(job.model().init(), v1::INITIALIZATION_PRETRAINED);
  EXPECT_EQ(job.model().tokenizer_path(), "/models/gpt2");
  EXPECT_EQ(job.data().format(), v1::DATA_FORMAT_TEXT);
  EXPECT_TRUE(job.data().shuffle());
  EXPECT_EQ(job.train().gradient_accumulation_steps(), 1);
  EXPECT_EQ(job.train().optim(), v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(job.train().adam_beta1(), 0.9);
  EXPECT_EQ(job.train().adam_beta2(), 0.999);
  EXPECT_EQ(job.train().adam_epsilon(), 1e-8);
  EXPECT_EQ(job.train().seed(), 42);
  EXPECT_EQ(job.evaluation().per_device_eval_batch_size(), 8);
  EXPECT_TRUE(job.output().save_model());
  EXPECT_EQ(job.checkpoint().every_steps(), 0);
  EXPECT_EQ(job.checkpoint().every_minutes(), 15);
  EXPECT_EQ(job.checkpoint().keep_last(), 2);
  EXPECT_TRUE(job.checkpoint().keep_best());
  EXPECT_FALSE(job.train().has_context_length());
  EXPECT_FALSE(job.train().has_dropout());
  EXPECT_EQ(job.output().output_dir(), "");
}

TEST(FillDefaultsTest, ALossIsScaledAsByGradScaler) {
  v1::JobSpec job = ValidJob();
  FillDefaults(&job);
  EXPECT_FALSE(job.train().has_loss_scale());
  EXPECT_FALSE(job.train().has_loss_scale_growth_interval());
  job.mutable_train()->set_fp16(true);
  FillDefaults(&job);
  EXPECT_EQ(job.train().loss_scale(), 65536);
  EXPECT_EQ(job.train().loss_scale_growth_interval(), 2000);
  job.mutable_train()->set_loss_scale(128);
  job.mutable_train()->set_loss_scale_growth_interval(0);
  FillDefaults(&job);
  EXPECT_EQ(job.train().loss_scale(), 128);
  EXPECT_EQ(job.train().loss_scale_growth_interval(), 0);
  EXPECT_EQ(MessageOf(job), "");
}

TEST(FillDefaultsTest, KeepsWhatIsSet) {
  v1::JobSpec job = ValidJob();
  job.mutable_train()->set_seed(0);
  job.mutable_train()->set_adam_beta1(0);
  job.mutable_train()->set_optim(v1::OPTIMIZER_SGD);
  job.mutable_data()->set_shuffle(false);
  job.mutable_output()->set_save_model(false);
  job.mutable_model()->set_tokenizer_path("/t");
  job.mutable_checkpoint()->set_every_minutes(0);
  job.mutable_checkpoint()->set_keep_last(1);
  job.mutable_checkpoint()->set_keep_best(false);
  FillDefaults(&job);
  EXPECT_EQ(job.train().seed(), 0);
  EXPECT_EQ(job.train().adam_beta1(), 0);
  EXPECT_EQ(job.train().optim(), v1::OPTIMIZER_SGD);
  EXPECT_FALSE(job.data().shuffle());
  EXPECT_FALSE(job.output().save_model());
  EXPECT_EQ(job.model().tokenizer_path(), "/t");
  EXPECT_EQ(job.checkpoint().every_minutes(), 0);
  EXPECT_EQ(job.checkpoint().keep_last(), 1);
  EXPECT_FALSE(job.checkpoint().keep_best());
}

}  // namespace
}  // namespace hydra

// Hydra from Go, with nothing but generated stubs: submits a job file's text,
// reads a google.rpc.BadRequest and an ErrorInfo, watches, and lists by pages.
// tests/go/run.sh makes the stubs, builds it and runs it against a real hydrad:
//
//	hydra-go SERVER JOB_FILE
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	hydrav1 "hydra/v1"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func want(ok bool, format string, arguments ...interface{}) {
	if !ok {
		log.Fatalf(format, arguments...)
	}
}

// Every mistake of a job file comes in one answer.
func tellsMistakes(ctx context.Context, client hydrav1.HydraServiceClient) {
	_, err := client.Submit(ctx, &hydrav1.SubmitRequest{
		JobFile: "train:\n  max_steps: many\n  lr: 3\n"})
	refused, ok := status.FromError(err)
	want(ok && refused.Code() == codes.InvalidArgument, "submit: %v", err)
	found := map[string]string{}
	for _, detail := range refused.Details() {
		if wrong, ok := detail.(*errdetails.BadRequest); ok {
			for _, each := range wrong.FieldViolations {
				found[each.Field] = each.Description
			}
		}
	}
	for _, field := range []string{"train.max_steps", "train.lr", "model.path"} {
		want(found[field] != "", "no mistake in %s, but %v", field, found)
	}
}

// Errors have a reason for programs.
func tellsReasons(ctx context.Context, client hydrav1.HydraServiceClient) {
	_, err := client.GetJob(ctx, &hydrav1.GetJobRequest{JobId: "j999"})
	missing, ok := status.FromError(err)
	want(ok && missing.Code() == codes.NotFound, "get: %v", err)
	for _, detail := range missing.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			want(info.Domain == "hydra" && info.Reason == "JOB_NOT_FOUND", "%v", info)
			return
		}
	}
	log.Fatalf("no ErrorInfo in %v", missing.Details())
}

func submit(ctx context.Context, client hydrav1.HydraServiceClient, path string) *hydrav1.SubmitResponse {
	text, err := os.ReadFile(path)
	check(err)
	folder, err := filepath.Abs(filepath.Dir(path))
	check(err)
	request := &hydrav1.SubmitRequest{
		JobFile: string(text), BaseDir: folder, RequestId: fmt.Sprint("go-", os.Getpid())}
	first, err := client.Submit(ctx, request)
	check(err)
	// As after an answer that was lost.
	again, err := client.Submit(ctx, request)
	check(err)
	want(first.SweepId == again.SweepId, "submitted twice: %s, %s", first.SweepId, again.SweepId)
	return first
}

func awaitEnd(ctx context.Context, client hydrav1.HydraServiceClient, sweep string) {
	stream, err := client.Watch(ctx, &hydrav1.WatchRequest{
		Target: &hydrav1.WatchRequest_SweepId{SweepId: sweep}})
	check(err)
	states := map[string]hydrav1.JobState{}
	for {
		update, err := stream.Recv()
		if err == io.EOF {
			break
		}
		check(err)
		for _, job := range update.Jobs {
			states[job.JobId] = job.State
		}
	}
	for job, state := range states {
		want(state == hydrav1.JobState_JOB_STATE_COMPLETED, "%s ended as %v", job, state)
	}
}

func listAll(ctx context.Context, client hydrav1.HydraServiceClient, sweep string) []string {
	var jobs []string
	request := &hydrav1.ListJobsRequest{SweepId: sweep, PageSize: 1}
	for {
		page, err := client.ListJobs(ctx, request)
		check(err)
		want(len(page.Jobs) <= 1, "a page of %d", len(page.Jobs))
		for _, job := range page.Jobs {
			jobs = append(jobs, job.JobId)
		}
		if page.NextPageToken == "" {
			return jobs
		}
		request.PageToken = page.NextPageToken
	}
}

func lossCurve(ctx context.Context, client hydrav1.HydraServiceClient, job string) []float64 {
	var losses []float64
	request := &hydrav1.ListMetricsRequest{JobId: job, PageSize: 2}
	for {
		page, err := client.ListMetrics(ctx, request)
		check(err)
		for _, step := range page.Steps {
			losses = append(losses, step.TrainLoss)
		}
		if page.NextPageToken == "" {
			return losses
		}
		request.PageToken = page.NextPageToken
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	connection, err := grpc.Dial(os.Args[1], grpc.WithInsecure())
	check(err)
	defer connection.Close()
	client := hydrav1.NewHydraServiceClient(connection)

	tellsMistakes(ctx, client)
	tellsReasons(ctx, client)
	sweep := submit(ctx, client, os.Args[2])
	awaitEnd(ctx, client, sweep.SweepId)
	jobs := listAll(ctx, client, sweep.SweepId)
	want(len(jobs) == len(sweep.Jobs), "submitted %v, listed %v", sweep.Jobs, jobs)
	for _, job := range jobs {
		losses := lossCurve(ctx, client, job)
		want(len(losses) == 5, "%s has losses %v", job, losses)
	}
	fmt.Println("all is well")
}

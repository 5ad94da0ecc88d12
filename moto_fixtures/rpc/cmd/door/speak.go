package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
)

// port is where the handler is told to listen: in a network of its own any will do.
const port = "49802"

const (
	functionError = "X-Amz-Function-Error"
	// spent says that the process must not be invoked again.
	spent = "Fleet-Spent"
)

// handler is a go1.x program at work, or the reason why it isn't.
type handler struct {
	failed error
	over   chan struct{}
	reason error
	client *rpc.Client
}

// speak starts a handler as the go1.x runtime does and puts every request to it.
func speak(listener net.Listener, program *exec.Cmd) error {
	program.Stderr = os.Stdout
	program.Env = append(os.Environ(), "_LAMBDA_SERVER_PORT="+port)
	running := &handler{over: make(chan struct{})}
	if running.failed = program.Start(); running.failed == nil {
		go func() {
			running.reason = ended(program.Wait())
			close(running.over)
		}()
	}
	return http.Serve(listener, running)
}

// ServeHTTP answers one invocation; execution environments get one at a time.
func (running *handler) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	payload, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	id, version := request.Header.Get("Fleet-Request-Id"), os.Getenv("AWS_LAMBDA_FUNCTION_VERSION")
	fmt.Printf("START RequestId: %s Version: %s\n", id, version)
	began := time.Now()
	answer, failure, isSpent := running.invoke(payload, id, request.Header)
	report(id, time.Since(began))
	if failure != nil {
		writer.Header().Set(functionError, "Unhandled")
		// Of strings and integers: nothing that could not be written as JSON.
		answer, _ = json.Marshal(failure)
	}
	if isSpent {
		writer.Header().Set(spent, "true")
	}
	_, _ = writer.Write(answer)
}

func (running *handler) invoke(
	payload []byte, id string, header http.Header,
) (answer []byte, failure any, isSpent bool) {
	if running.failed != nil {
		return nil, pathError{running.failed.Error(), "PathError"}, true
	}
	response, err := running.call(payload, id, header)
	if refused := rpc.ServerError(""); errors.As(err, &refused) {
		return nil, exitError{"Runtime.Unknown", err.Error()}, true
	}
	if err != nil {
		<-running.over
		said := fmt.Sprintf("RequestId: %s Error: %v", id, running.reason)
		return nil, exitError{"Runtime.ExitError", said}, true
	}
	if response.Error != nil {
		return nil, response.Error, response.Error.ShouldExit
	}
	return response.Payload, nil, false
}

func (running *handler) call(
	payload []byte, id string, header http.Header,
) (*messages.InvokeResponse, error) {
	if running.client == nil {
		connection := dial("localhost:"+port, running.over)
		if connection == nil {
			return nil, errors.New("it ended")
		}
		running.client = rpc.NewClient(connection)
		if err := running.client.Call(
			"Function.Ping", &messages.PingRequest{}, &messages.PingResponse{},
		); err != nil {
			return nil, err
		}
		fmt.Fprintln(os.Stderr, "door: ready")
	}
	deadline, _ := strconv.ParseInt(header.Get("Fleet-Deadline-Ms"), 10, 64)
	request := messages.InvokeRequest{
		Payload:   payload,
		RequestId: id,
		Deadline: messages.InvokeRequest_Timestamp{
			Seconds: deadline / 1000,
			Nanos:   deadline % 1000 * int64(time.Millisecond),
		},
		InvokedFunctionArn: header.Get("Fleet-Function-Arn"),
	}
	response := &messages.InvokeResponse{}
	return response, running.client.Call("Function.Invoke", &request, response)
}

// pathError is what the go1.x runtime says of a handler that it cannot start.
type pathError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

type exitError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func report(id string, took time.Duration) {
	milliseconds := float64(took.Microseconds()) / 1000
	size := os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
	fmt.Printf("END RequestId: %s\n", id)
	fmt.Printf(
		"REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %s MB\t"+
			"Max Memory Used: %s MB\n",
		id, milliseconds, int(milliseconds)+1, size, size,
	)
}

// ended says why a process ended, in Lambda's words.
func ended(err error) error {
	if err == nil {
		return errors.New("Runtime exited without providing a reason")
	}
	return fmt.Errorf("Runtime exited with error: %w", err)
}

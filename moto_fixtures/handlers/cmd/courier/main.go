// Courier speaks to the Runtime API by itself, without aws-lambda-go: what it answers is what
// it was asked.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func carry(api string) error {
	event, err := http.Get(api + "next")
	if err != nil {
		return err
	}
	defer event.Body.Close()
	request := event.Header.Get("Lambda-Runtime-Aws-Request-Id")
	taken, err := http.Post(api+request+"/response", "application/json", event.Body)
	if err != nil {
		return err
	}
	taken.Body.Close()
	if taken.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the Runtime API answered %s", taken.Status)
	}
	return nil
}

func main() {
	api := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := carry(api); err != nil {
			log.Fatalf("courier: %v", err)
		}
	}
}

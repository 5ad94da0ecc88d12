// Telemetry tells which execution environment it believes to be in; custom runtimes don't say.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context) (string, error) {
		return "environment: " + os.Getenv("AWS_EXECUTION_ENV"), nil
	})
}

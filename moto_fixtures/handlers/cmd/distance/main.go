// Distance asks the C mathematics library, so it is built with cgo and linked dynamically.
package main

// #cgo LDFLAGS: -lm
// #include <math.h>
import "C"

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func distance(_ context.Context, to point) (float64, error) {
	return float64(C.sqrt(C.double(to.X*to.X + to.Y*to.Y))), nil
}

func main() {
	lambda.Start(distance)
}

// Orders adds up an order: the plain handler, one event in and one answer out.
package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/lambda"
)

// build is set with -ldflags "-X main.build=..." where a package wants it.
var build = "unset"

// Line is one article of an order; Cents is the price of one piece.
type Line struct {
	Article string `json:"article"`
	Pieces  int    `json:"pieces"`
	Cents   int    `json:"cents"`
}

// Order is the event.
type Order struct {
	Lines []Line `json:"lines"`
}

// Total is the answer.
type Total struct {
	Pieces int    `json:"pieces"`
	Cents  int    `json:"cents"`
	Build  string `json:"build"`
}

func total(_ context.Context, order Order) (Total, error) {
	sum := Total{Build: build}
	for _, line := range order.Lines {
		if line.Pieces < 0 || line.Cents < 0 {
			return Total{}, errors.New("an order line counts less than nothing: " + line.Article)
		}
		sum.Pieces += line.Pieces
		sum.Cents += line.Pieces * line.Cents
	}
	return sum, nil
}

func main() {
	lambda.Start(total)
}

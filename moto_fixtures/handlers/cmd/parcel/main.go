// Parcel asks a shared library that no system has: libpostage.so comes with the package or
// from nowhere.
package main

// #cgo CFLAGS: -I${SRCDIR}/../postage
// #cgo LDFLAGS: -L${SRCDIR} -lpostage
// #include "postage.h"
import "C"

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type parcel struct {
	Grams int `json:"grams"`
}

func cents(_ context.Context, sent parcel) (int, error) {
	return int(C.postage_cents(C.int(sent.Grams))), nil
}

func main() {
	lambda.Start(cents)
}
